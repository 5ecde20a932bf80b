import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { request } from "undici";
import { projectRoot } from "../common/paths";
import type { LabFile } from "./lab";

interface Daemon {
  child: ChildProcess;
  ready: Promise<LabFile>;
  ended: Promise<{ code: number | null; stderr: string }>;
}

const children: ChildProcess[] = [];

function startDaemon(dir: string, flags: string[] = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"]): Daemon {
  const child = spawn(process.execPath, [path.join(projectRoot(), "bin", "lab", "main.js"), "--dir", dir, "--latency", "zero", ...flags]);
  children.push(child);
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => child.on("close", (code) => resolve({ code, stderr })));
  const ready = new Promise<LabFile>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes("\n")) resolve(JSON.parse(stdout));
    });
    child.on("close", () => reject(new Error(stderr)));
  });
  // Whoever only waits for the end does not care.
  ready.catch(() => undefined);
  return { child, ready, ended };
}

/** Resolves when a file is there. */
function appears(file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = fs.watch(path.dirname(file), () => look());
    const look = () => {
      if (!fs.existsSync(file)) return;
      watcher.close();
      resolve();
    };
    look();
  });
}

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "lab-main-"));
});
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true, force: true });
});

test("one line when it is up; POST /stop ends it and takes lab.json away", async () => {
  const daemon = startDaemon(dir);
  const lab = await daemon.ready;
  expect(lab).toMatchObject({ ready: true, version: 1, pid: daemon.child.pid, caFile: path.join(dir, "ca.pem"), kubeconfig: path.join(dir, "kubeconfig") });
  const { ready: _ready, ...file } = lab as LabFile & { ready: boolean };
  expect(JSON.parse(fs.readFileSync(path.join(dir, "lab.json"), "utf8"))).toEqual(file);
  expect(fs.statSync(path.join(dir, "lab.json")).mode & 0o777).toBe(0o600);
  const again = await startDaemon(dir).ended;
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain(`is running already (process ${daemon.child.pid},`);
  const fromBrowser = await request(`${lab.control}/stop`, { method: "POST", headers: { origin: "https://evil.example" } });
  expect(fromBrowser.statusCode).toBe(403);
  await fromBrowser.body.dump();
  expect((await request(`${lab.control}/stop`, { method: "POST" })).statusCode).toBe(200);
  expect(await daemon.ended).toEqual({ code: 0, stderr: "" });
  expect(fs.existsSync(path.join(dir, "lab.json"))).toBe(false);
});

test("a lab that was killed starts again with its authority and keys", async () => {
  const first = startDaemon(dir);
  const before = await first.ready;
  const ca = fs.readFileSync(before.caFile, "utf8");
  const key = fs.readFileSync(before.bastion.keyFile, "utf8");
  const snapshot = path.join(dir, "snapshot.json");
  await appears(snapshot);
  first.child.kill("SIGKILL");
  await first.ended;
  expect(fs.existsSync(path.join(dir, "lab.json"))).toBe(true);
  const second = startDaemon(dir);
  const after = await second.ready;
  expect(fs.readFileSync(after.caFile, "utf8")).toBe(ca);
  expect(fs.readFileSync(after.bastion.keyFile, "utf8")).toBe(key);
  second.child.kill("SIGTERM");
  expect(await second.ended).toEqual({ code: 0, stderr: "" });
});

test("a port in use names the port and the flag; a damaged state names the file", async () => {
  const first = startDaemon(dir);
  const { proxy } = await first.ready;
  const port = new URL(proxy).port;
  const other = path.join(dir, "other");
  const { code, stderr } = await startDaemon(other, ["--proxy-port", port, "--bastion-port", "0", "--control-port", "0"]).ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `port ${port} on 127.0.0.1 is in use (--proxy-port)\n  next: stop what listens there, or start the lab with --proxy-port <another port>\n`,
  });
  first.child.kill("SIGTERM");
  await first.ended;
  fs.writeFileSync(path.join(dir, "snapshot.json"), '{"version":1,"auth');
  const damaged = await startDaemon(dir).ended;
  expect(damaged.code).toBe(1);
  expect(damaged.stderr).toContain(`the lab's state ${path.join(dir, "snapshot.json")} is damaged`);
});

test("a wrong option is a usage error", async () => {
  expect(await startDaemon(dir, ["--latency", "warp"]).ended).toMatchObject({ code: 2 });
  expect(await startDaemon(dir, ["--colour"]).ended).toMatchObject({ code: 2 });
});
