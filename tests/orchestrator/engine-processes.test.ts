/** Which engine processes an operation on a stack starts. Each costs a quarter of a second of processor time before it does anything. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createRedactor } from "../../common/redact";
import { StackProcesses } from "../../orchestrator/worker/stack-process";
import type { Operation, WorkerResult } from "../../orchestrator/worker/worker-protocol";

jest.setTimeout(240_000);

const ROOT = path.join(__dirname, "../..");

let folder: string;
let processes: StackProcesses;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-processes-"));
  const project = path.join(folder, "project");
  for (const name of ["project", "engine/bin", "state", "home"]) fs.mkdirSync(path.join(folder, name), { recursive: true });
  fs.writeFileSync(path.join(project, "Pulumi.yaml"), "name: small\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
  fs.writeFileSync(path.join(project, "package.json"), '{"name":"small","private":true,"main":"index.js"}');
  fs.writeFileSync(
    path.join(project, "index.js"),
    'const pulumi = require("@pulumi/pulumi");\nmodule.exports = { plain: 1, nested: { a: [true] }, token: pulumi.secret("hidden") };\n',
  );
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(project, "node_modules"));
  // A wrapper of the engine that records its arguments, the worker's process and its own.
  const note = `const { appendFileSync } = require("node:fs");
const note = (name, text) => appendFileSync(${JSON.stringify(folder)} + "/" + name, text + "\\n");
process.on("message", ({ argv }) => { note("asked", argv[0] + " " + argv[1]); note("workers", process.ppid); note("engines", process.pid); });
require(${JSON.stringify(`${ROOT}/engine/bin/serve`)});\n`;
  fs.writeFileSync(path.join(folder, "engine/bin/serve"), note);
  const env = {
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    HOMELAB_PROGRAM_PRELOAD: undefined,
  };
  processes = new StackProcesses(env, createRedactor());
});
afterAll(() => {
  processes.close();
  fs.rmSync(folder, { recursive: true });
});

async function asked(operation: Operation, more: { isNew?: boolean; adopt?: boolean } = {}): Promise<{ asked: string[]; result: WorkerResult }> {
  const file = path.join(folder, "asked");
  fs.rmSync(file, { force: true });
  const task = { operation, stack: "dev", workDir: path.join(folder, "project"), engineRoot: path.join(folder, "engine"), parallel: 4, ...more };
  const result = await processes.run(task, () => undefined).result;
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  // Only `stack` has a verb; the second word of other commands is their first flag.
  return { asked: lines.map((line) => (line.startsWith("stack ") ? line : (line.split(" ")[0] ?? ""))), result };
}

const OUTPUTS = { plain: { value: 1, secret: false }, nested: { value: { a: [true] }, secret: false }, token: { value: "hidden", secret: true } };

test("a stack that is new: made, updated, and its outputs read; a further up makes nothing, a preview is one process", async () => {
  const made = await asked("up", { isNew: true });
  expect([made.result.error, made.asked]).toEqual([undefined, ["stack select", "up", "stack export"]]);
  expect(made.result.outputs).toEqual(OUTPUTS);
  expect(await asked("up")).toMatchObject({ asked: ["up", "stack export"], result: { ok: true, outputs: OUTPUTS } });
  // With isNew, an existing stack is selected and stays as it is.
  expect(await asked("up", { isNew: true })).toMatchObject({ asked: ["stack select", "up", "stack export"], result: { ok: true, changes: { same: 1 } } });
  expect(await asked("preview")).toMatchObject({ asked: ["preview"], result: { ok: true } });
  expect(await asked("outputs")).toMatchObject({ asked: ["stack export"], result: { ok: true, outputs: OUTPUTS } });
});

test("a stack that is not there has no outputs and nothing to destroy; an up that expects it makes it", async () => {
  fs.rmSync(path.join(folder, "state"), { recursive: true });
  fs.mkdirSync(path.join(folder, "state"));
  expect((await asked("outputs")).result).toEqual({ ok: true, changes: {}, outputs: {} });
  expect((await asked("destroy", { adopt: true })).result).toEqual({ ok: true, changes: {}, outputs: {} });
  expect(await asked("up")).toMatchObject({ asked: ["up", "stack select", "up", "stack export"], result: { ok: true } });
});

/** The process ids of the workers that started the engine, in order. */
async function workersOf(work: () => Promise<unknown>): Promise<string[]> {
  const file = path.join(folder, "workers");
  fs.rmSync(file, { force: true });
  await work();
  return fs.existsSync(file) ? [...new Set(fs.readFileSync(file, "utf8").trim().split("\n"))] : [];
}

test("a worker that ended well takes the next stack; two at once have one each; one that failed or was cancelled takes none", async () => {
  const outputs = (): Promise<unknown> => asked("outputs");
  const [first] = await workersOf(outputs);
  expect(await workersOf(outputs)).toEqual([first]);
  const both = await workersOf(() => Promise.all([outputs(), outputs()]));
  expect([both.length, both.includes(String(first))]).toEqual([2, true]);

  const task = { operation: "outputs" as const, stack: "dev", workDir: path.join(folder, "nowhere"), engineRoot: path.join(folder, "engine"), parallel: 1 };
  const failed = [processes.run(task, () => undefined), processes.run(task, () => undefined)];
  expect(await Promise.all(failed.map(({ result }) => result))).toMatchObject([{ ok: false }, { ok: false }]);
  const [next = ""] = await workersOf(outputs);
  expect(both).not.toContain(next);

  const running = processes.run({ ...task, workDir: path.join(folder, "project") }, () => undefined);
  running.cancel();
  const ended = await running.result;
  // Cancelling a task that has ended does nothing, although its worker may already run another task.
  expect(
    await workersOf(async () => {
      const other = asked("outputs");
      running.cancel();
      running.cancel();
      expect((await other).result).toEqual({ ok: true, changes: {}, outputs: OUTPUTS });
    }),
  ).not.toContain(next);
  expect(ended.inDoubt).toBeUndefined();
});
