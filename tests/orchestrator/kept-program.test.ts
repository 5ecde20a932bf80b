/** A program's process that runs one stack after another (engine/program/kept-runner.ts): what a process for each run did still holds. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { type ServedAnswer, type ServedCommand, ServedEngines } from "../../orchestrator/worker/served-engine";
import { engineEnvironment, until as waitUntil } from "../support/served-engines";

jest.setTimeout(240_000);

const ROOT = path.join(__dirname, "../..");

let folder: string;
let engines: ServedEngines;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-kept-"));
  for (const name of ["state", "home"]) fs.mkdirSync(file(name));
  fs.writeFileSync(file("preload.cjs"), "");
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  engines = new ServedEngines(path.join(ROOT, "engine/bin/serve"));
});
afterEach(() => engines.close());

const file = (...names: string[]): string => path.join(folder, ...names);

const until = (holds: () => boolean): Promise<void> => waitUntil(holds, 1_000);

const environment = (more: Record<string, string> = {}): Record<string, string> =>
  engineEnvironment(folder, { HOMELAB_PROGRAM_PRELOAD: file("preload.cjs"), ...more });

const ask = (cwd: string, argv: string[], more: Partial<ServedCommand> = {}): Promise<ServedAnswer> =>
  engines.run({ argv: [...argv, "--non-interactive"], cwd: file(cwd), env: environment(), ...more });

const preview = (cwd: string, stack = "one", more: Partial<ServedCommand> = {}): Promise<ServedAnswer> => ask(cwd, ["preview", "--stack", stack], more);

interface Project {
  program: string;
  /** Other files. */
  files?: Record<string, string>;
  options?: string;
  manifest?: object;
}

/** A program that can note facts about its run, and its stacks `one` and `two`. */
async function project(name: string, { program, files = {}, options = "    typescript: false\n", manifest = {} }: Project): Promise<void> {
  fs.mkdirSync(file(name));
  const write = (at: string, text: string): void => fs.writeFileSync(file(name, at), text);
  write("Pulumi.yaml", `name: kept\nruntime:\n  name: nodejs\n  options:\n${options}`);
  write("package.json", JSON.stringify({ name, private: true, main: "index.js", ...manifest }));
  write(
    "note.cjs",
    `module.exports = (facts) => require("node:fs").appendFileSync(${JSON.stringify(file(name, "notes"))}, JSON.stringify({ pid: process.pid, ...facts }) + "\\n");\n`,
  );
  write("index.js", program);
  for (const [at, text] of Object.entries(files)) write(at, text);
  fs.symlinkSync(path.join(ROOT, "node_modules"), file(name, "node_modules"));
  for (const stack of ["one", "two"]) {
    const settings = `Pulumi.${stack}.yaml`;
    const made = file(settings);
    // All projects have one name, and so the same stacks.
    if (fs.existsSync(made)) fs.copyFileSync(made, file(name, settings));
    else {
      expect((await ask(name, ["stack", "init", stack])).status).toBe(0);
      fs.copyFileSync(file(name, settings), made);
    }
  }
}

/** What the programs have noted since it was last asked. */
function notes(name: string): Record<string, unknown>[] {
  const at = file(name, "notes");
  if (!fs.existsSync(at)) return [];
  const lines = fs.readFileSync(at, "utf8").trim().split("\n");
  fs.rmSync(at);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const HEAD = 'const pulumi = require("@pulumi/pulumi");\nconst note = require("./note.cjs");\n';
const SELF = "new pulumi.ComponentResource('test:index:Thing', pulumi.getStack());\n";

test("one process runs one stack after another, and nothing of the first is left for the second", async () => {
  const program = `${HEAD}${SELF}
const before = { left: process.env.LEFT ?? null, shared: globalThis.stackResource.urn !== undefined, times: require("./counter.js").count(), listeners: process.listenerCount("SIGUSR2") };
note({ ...before, stack: pulumi.getStack(), word: new pulumi.Config().get("word") ?? null, cwd: process.cwd(), args: process.argv.slice(2), uncaught: process.listenerCount("uncaughtException") });
process.on("exit", () => note({ exit: pulumi.getStack() }));
process.env.LEFT = "behind";
process.chdir("/");
process.on("SIGUSR2", () => undefined);
process.argv.push("more");
setTimeout(() => console.log("later of " + pulumi.getStack()), 50);
process.stdout.write("of " + pulumi.getStack() + " without an end");
`;
  await project("shared", { program, files: { "counter.js": "let times = 0;\nexports.count = () => ++times;\n" } });
  await ask("shared", ["config", "set", "word", "mine", "--stack", "one"]);
  const said = [await preview("shared"), await preview("shared", "two"), await preview("shared")];
  expect(said.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(said.map(({ stdout }) => [/of one without an end/.test(stdout), /of two without an end/.test(stdout)])).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
  expect(said.map(({ stdout }) => /later of (\w+)/.exec(stdout)?.[1])).toEqual(["one", "two", "one"]);
  expect(said.map(({ stdout }) => [/test:index:Thing\s+one/.test(stdout), /test:index:Thing\s+two/.test(stdout)])).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
  const noted = notes("shared");
  expect(noted.flatMap(({ exit }) => exit ?? [])).toEqual(["one", "two", "one"]);
  const [first, ...others] = noted.filter(({ exit }) => exit === undefined);
  expect(first).toMatchObject({ left: null, times: 1, listeners: 0, stack: "one", word: "mine", cwd: file("shared"), args: [] });
  expect(others).toEqual([{ ...first, stack: "two", word: null }, first]);
});

test("another environment is another process, and the first one ends", async () => {
  await project("apart", {
    program: `${HEAD}note({ word: process.env.WORD ?? null, names: Object.keys(process.env).filter((name) => /^(WORD|OTHER)$/.test(name)) });\n`,
  });
  await preview("apart", "one", { env: environment({ WORD: "first" }) });
  await preview("apart", "two", { env: environment({ OTHER: "x" }) });
  await preview("apart", "one", { env: environment({ OTHER: "x" }) });
  const [first, second, third] = notes("apart");
  expect([first?.["word"], second?.["word"], second?.["names"]]).toEqual(["first", null, ["OTHER"]]);
  expect(third).toEqual(second);
  expect(second?.["pid"]).not.toBe(first?.["pid"]);
  await until(() => !isProcessAlive(Number(first?.["pid"])));
});

/** What is said of a failure, without the frames of its stack and the times. */
function failureOf({ status, stdout, stderr }: ServedAnswer): unknown {
  const said = stderr.split("\n").filter((line) => !/^\S*\s*\S*at /.test(line));
  return { status, said, sums: stdout.split("\n").filter((line) => /to create|errored|Stack/.test(line)) };
}

const AFTER_ALL = 2_000;

test.each([
  ["throws", 'throw new Error("boom");', /failed with an unhandled exception:[\s\S]*boom/],
  ["throws-later", `setTimeout(() => { throw new Error("boom"); }, ${AFTER_ALL});`, /boom/],
  ["exits", "process.exit(3);", /Program exited with non-zero exit code: 3/],
  ["dies", 'process.kill(process.pid, "SIGKILL");', /Program was ended by SIGKILL/],
  ["leaks-promises", "new pulumi.CustomResource('test:index:Never', 'c', { x: new Promise(() => undefined) });", /promises were still active/],
] as const)("a program that %s fails as it does in a process of its own, and the next one has another process", async (name, line, said) => {
  await project(name, { program: `${HEAD}note({});\nif (process.env.PULUMI_CONFIG.includes("fails")) { ${line} }\n` });
  await ask(name, ["config", "set", "fails", "true", "--stack", "two"]);
  const alone = await preview(name, "two", { env: environment({ HOMELAB_PROGRAM_PRELOAD: "" }) });
  expect([alone.status === 0, alone.stdout + alone.stderr]).toEqual([false, expect.stringMatching(said)]);
  notes(name);
  expect((await preview(name)).status).toBe(0);
  const failed = await preview(name, "two");
  expect(failureOf(failed)).toEqual(failureOf(alone));
  expect(failed.stdout + failed.stderr).toMatch(said);
  expect((await preview(name)).status).toBe(0);
  const [before, failing, after] = notes(name);
  expect(failing).toEqual(before);
  expect(after).not.toEqual(before);
});

test("a program that ends its process with success has succeeded, and the next one has another process", async () => {
  await project("leaves", { program: `${HEAD}note({});\nsetTimeout(() => process.exit(0), 200);\n` });
  expect([(await preview("leaves")).status, (await preview("leaves")).status]).toEqual([0, 0]);
  expect(new Set(notes("leaves").map(({ pid }) => pid)).size).toBe(2);
});

test("a program that never ends is ended by a cancellation, also where another one ran before it", async () => {
  await project("hangs", { program: `${HEAD}note({});\nif (pulumi.getStack() === "two") setInterval(() => undefined, 1000);\n` });
  expect((await preview("hangs")).status).toBe(0);
  const cancel = new AbortController();
  const running = preview("hangs", "two", { signal: cancel.signal });
  await until(() => fs.existsSync(file("hangs", "notes")) && fs.readFileSync(file("hangs", "notes"), "utf8").split("\n").length === 3);
  cancel.abort();
  expect((await running).status).not.toBe(0);
  const [first, second] = notes("hangs");
  expect(second).toEqual(first);
  await until(() => !isProcessAlive(Number(first?.["pid"])));
});

const TYPED = { "index.ts": 'declare function require(name: string): (facts: object) => void;\nrequire("./note.cjs")({});\n' };

test.each<[string, Project]>([
  ["an ES module", { program: 'import note from "./note.cjs";\nnote({});\n', manifest: { type: "module" } }],
  ["one with Node's options in Pulumi.yaml", { program: "require('./note.cjs')({});\n", options: "    typescript: false\n    nodeargs: --no-deprecation\n" }],
  ["one that is compiled while it is loaded", { program: "", files: TYPED, options: "    typescript: true\n", manifest: { main: "index.ts" } }],
])("%s has a process for each run", async (what, of) => {
  const name = what.replaceAll(/\W/g, "-");
  await project(name, of);
  const answers = [await preview(name), await preview(name)];
  expect(answers).toEqual([expect.objectContaining({ status: 0 }), expect.objectContaining({ status: 0 })]);
  const pids = notes(name).map(({ pid }) => pid);
  expect([pids.length, new Set(pids).size]).toEqual([2, 2]);
});

test("nobody else's program is kept: only the orchestrator names a preload", async () => {
  await project("foreign", { program: `${HEAD}note({});\n` });
  const env = environment({ HOMELAB_PROGRAM_PRELOAD: "" });
  await preview("foreign", "one", { env });
  await preview("foreign", "one", { env });
  expect(new Set(notes("foreign").map(({ pid }) => pid)).size).toBe(2);
});

test("the process ends with its engine, in order or killed", async () => {
  await project("follows", { program: `${HEAD}note({ engine: process.ppid });\n` });
  await preview("follows");
  const [one] = notes("follows");
  engines.close();
  await until(() => !isProcessAlive(Number(one?.["pid"])));
  engines = new ServedEngines(path.join(ROOT, "engine/bin/serve"));
  await preview("follows");
  const [two] = notes("follows");
  process.kill(Number(two?.["engine"]), "SIGKILL");
  await until(() => !isProcessAlive(Number(two?.["pid"])));
});
