/** Locks that dead processes left: taken over where it is certain, and only there. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Bucket } from "../../engine/backend/bucket";
import { FileBucket } from "../../engine/backend/file-bucket";
import { lockStack } from "../../engine/backend/locks";
import { testWhere } from "../support/skips";

const folder = ".pulumi/locks/organization/p/dev";
const root = fs.mkdtempSync(path.join(os.tmpdir(), "locks-"));
const bucket = new FileBucket(root);
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  fs.rmSync(path.join(root, folder), { recursive: true, force: true });
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

/** Another process that takes the lock, as the engine does, and keeps it. */
async function holder(): Promise<ChildProcess> {
  const script = `const { FileBucket } = require("./bin/engine/backend/file-bucket.js"); const { lockStack } = require("./bin/engine/backend/locks.js");
    lockStack(new FileBucket(${JSON.stringify(root)}), "p", "dev").then(() => { console.log("held"); setInterval(() => {}, 1000); });`;
  const child = spawn(process.execPath, ["-e", script], { cwd: path.resolve(__dirname, "../.."), stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child;
}

const killed = async (child: ChildProcess): Promise<void> => {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
};

type Lock = { pid: number; process: Record<string, string> } & Record<string, unknown>;
const files = (): string[] => fs.readdirSync(path.join(root, folder));
/** Changes the one lock that there is. */
function edit(change: (lock: Lock) => Lock): void {
  const [name = ""] = files();
  const file = path.join(root, folder, name);
  fs.writeFileSync(file, JSON.stringify(change(JSON.parse(fs.readFileSync(file, "utf8")))));
}

test("the lock of a killed process of this host is taken over, with one line that says whose it was; a living one's never", async () => {
  const child = await holder();
  const said: string[] = [];
  const take = () => lockStack(bucket, "p", "dev", (line) => said.push(line));
  await expect(take()).rejects.toThrow(new RegExp(`locked by 1 lock[^]*pulumi cancel[^]*created by \\S+@${os.hostname()} \\(pid ${child.pid}\\) at 20`));
  await killed(child);
  const release = await take();
  expect(said).toEqual([
    expect.stringMatching(
      new RegExp(`took over the lock of dev: it was held by \\S+@${os.hostname()} \\(pid ${child.pid}\\) at 20\\S+, a process of this host`),
    ),
  ]);
  expect(files()).toHaveLength(1);
  await release();
  expect(files()).toEqual([]);
});

test("where another process has the holder's process number by now, the lock is taken over", async () => {
  const child = await holder();
  edit((lock) => ({ ...lock, process: { ...lock.process, startTime: "1" } }));
  await (await lockStack(bucket, "p", "dev", () => undefined))();
  expect(child.exitCode).toBeNull();
});

test("a lock of an earlier start of this machine is taken over", async () => {
  if (!fs.existsSync("/etc/machine-id")) return;
  const child = await holder();
  edit((lock) => ({ ...lock, process: { ...lock.process, bootId: "before" } }));
  await (await lockStack(bucket, "p", "dev", () => undefined))();
  expect(child.exitCode).toBeNull();
});

test.each<[string, (lock: Lock) => Lock]>([
  ["another host's", (lock) => ({ ...lock, hostname: "elsewhere" })],
  ["another machine's of the same name", (lock) => ({ ...lock, process: { ...lock.process, bootId: "other", machineId: "other" } })],
  ["one of a container with a time of its own", (lock) => ({ ...lock, process: { ...lock.process, pidNamespace: "pid:[1] time:[1]" } })],
  ["one of the CLI, which does not say which process it is", ({ process: _none, ...lock }) => lock as Lock],
])("%s is never taken over, though no process here has its number", async (_whose, change) => {
  const child = await holder();
  await killed(child);
  edit(change);
  await expect(lockStack(bucket, "p", "dev", () => undefined)).rejects.toThrow("the stack is currently locked by 1 lock(s)");
  expect(files()).toHaveLength(1);
});

const seesAll = fs.existsSync("/proc/self/ns/pid") && fs.readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";
testWhere(seesAll, "only the first PID namespace of a Linux machine sees the processes of other containers")(
  "the lock of a container that ended is taken over on its machine",
  async () => {
    const child = await holder();
    await killed(child);
    edit((lock) => ({ ...lock, process: { ...lock.process, pidNamespace: "pid:[1]" } }));
    await (await lockStack(bucket, "p", "dev", () => undefined))();
    expect(files()).toEqual([]);
  },
);

test("the message names the command of whoever runs the engine", async () => {
  await holder();
  process.env["HOMELAB_UNLOCK_COMMAND"] = "homelab unlock <stack>";
  try {
    await expect(lockStack(bucket, "p", "dev")).rejects.toThrow("with `homelab unlock dev`");
  } finally {
    delete process.env["HOMELAB_UNLOCK_COMMAND"];
  }
});

test("where the second look at the locks fails, one's own does not stay", async () => {
  let lists = 0;
  const failing: Bucket = Object.assign(Object.create(bucket) as Bucket, {
    list: async (key: string) => {
      if (++lists === 2) throw new Error("the store is gone");
      return bucket.list(key);
    },
    read: bucket.read.bind(bucket),
    write: bucket.write.bind(bucket),
    remove: bucket.remove.bind(bucket),
    url: bucket.url.bind(bucket),
  });
  await expect(lockStack(failing, "p", "dev")).rejects.toThrow("the store is gone");
  expect(files()).toEqual([]);
});
