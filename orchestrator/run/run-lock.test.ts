/** With real processes, which are really killed. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

let dir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "run-lock-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Prints `holds` when it holds the lock, and releases it when its input ends. */
const SCRIPT = `const { holdRunLock } = require(${JSON.stringify(path.join(__dirname, "../../bin/orchestrator/run/run-lock.js"))});
const { describeError } = require(${JSON.stringify(path.join(__dirname, "../../bin/common/errors.js"))});
holdRunLock(process.argv[1], "up", { err: (text) => process.stdout.write(text) }, process.argv[2] === "wait").then(
  (lock) => { process.stdout.write("holds\\n"); process.stdin.resume().on("end", () => { lock.release(); process.exit(0); }); },
  (thrown) => { process.stdout.write(describeError(thrown)); process.exit(1); },
);`;

function contender(how: "wait" | "no" = "no") {
  const child = spawn(process.execPath, ["-e", SCRIPT, dir, how], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  let said = "";
  const watchers = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    for (const watch of watchers) watch();
  });
  const ended = new Promise<string>((resolve) => child.on("close", () => resolve(said)));
  /** Its output up to the moment when it holds, waits or has ended. */
  const decided = new Promise<string>((resolve) => {
    const watch = (): void => {
      if (/holds\n|waiting for its end\n/.test(said)) resolve(said);
    };
    watchers.add(watch);
    void ended.then(resolve);
  });
  return { child, decided, ended, said: () => said };
}

test("of several at once exactly one holds; the others end at once and name it", async () => {
  const all = Array.from({ length: 6 }, () => contender());
  const said = await Promise.all(all.map(({ decided }) => decided));
  expect(said.filter((text) => text === "holds\n")).toHaveLength(1);
  const holder = all[said.indexOf("holds\n")]?.child.pid;
  const others = said.filter((text) => text !== "holds\n");
  // Some may have given up because of a contender that was still deciding, before there was a holder.
  for (const text of others)
    expect(text).toMatch(/^homelab up of \S+@\S+ \(process \d+, since \d{4}-\S+Z\) is under way\n {2}next: wait for its end, or add --wait/);
  expect(await contender().decided).toContain(`(process ${holder}, `);
});

test("one that waits goes on when the holder lets go, and when it is killed", async () => {
  const first = contender();
  expect(await first.decided).toBe("holds\n");
  const second = contender("wait");
  expect(await second.decided).toContain(`(process ${first.child.pid}, `);
  first.child.kill("SIGKILL");
  const holds = async (one: ReturnType<typeof contender>): Promise<void> => {
    while (!one.said().endsWith("holds\n")) await new Promise((resolve) => one.child.stdout.once("data", resolve));
  };
  await holds(second);
  expect(second.said()).toContain("was killed; its hold on the runs is taken over\n");
  const third = contender("wait");
  await third.decided;
  second.child.stdin.end();
  await holds(third);
  expect(third.said()).not.toContain("was killed");
});
