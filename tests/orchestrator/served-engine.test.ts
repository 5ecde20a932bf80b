/** An engine that does one command after another, for one parent (engine/serve.ts): what a process for each command did still holds. */
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
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-served-"));
  for (const name of ["state", "home", "world"]) fs.mkdirSync(path.join(folder, name));
  project("small", "module.exports = { stack: require('@pulumi/pulumi').getStack() };\n");
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  // Each engine writes its number when it is loaded.
  const script = path.join(folder, "serve.cjs");
  fs.writeFileSync(
    script,
    `require("node:fs").appendFileSync(${JSON.stringify(file("pids"))}, process.pid + "\\n");\nrequire(${JSON.stringify(`${ROOT}/engine/bin/serve`)});\n`,
  );
  fs.rmSync(file("pids"), { force: true });
  engines = new ServedEngines(script);
});
afterEach(async () => {
  engines.close();
  await until(() => pids().every((pid) => !isProcessAlive(pid)));
});

const file = (name: string): string => path.join(folder, name);
const pids = (): number[] => (fs.existsSync(file("pids")) ? fs.readFileSync(file("pids"), "utf8").trim().split("\n").map(Number) : []);

function project(name: string, program: string, plugins = ""): string {
  const dir = file(name);
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, "Pulumi.yaml"), `name: ${name}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${plugins}`);
  fs.writeFileSync(path.join(dir, "package.json"), `{"name":"${name}","private":true,"main":"index.js"}`);
  fs.writeFileSync(path.join(dir, "index.js"), program);
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  return dir;
}

const until = (holds: () => boolean): Promise<void> => waitUntil(holds, 5_000);

const environment = (more: Record<string, string> = {}): Record<string, string> => engineEnvironment(folder, { WORLD_DIR: file("world"), ...more });

const ask = (cwd: string, argv: string[], more: Partial<ServedCommand> = {}): Promise<ServedAnswer> =>
  engines.run({ argv: [...argv, "--non-interactive"], cwd: file(cwd), env: environment(), ...more });

test("commands that end well share a process; each has its own folder, environment and output", async () => {
  expect(await ask("small", ["stack", "init", "one"])).toEqual({ status: 0, stdout: "", stderr: "Created stack 'one'\n" });
  fs.mkdirSync(file("empty"));
  const other = environment({ PULUMI_BACKEND_URL: `file://${folder}/elsewhere` });
  fs.mkdirSync(file("elsewhere"));
  expect(await ask("small", ["stack", "ls", "--json"], { env: other })).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
  const heard: string[] = [];
  const listed = await ask("small", ["stack", "ls", "--json"], { onOutput: (text) => heard.push(text) });
  expect([JSON.parse(listed.stdout)[0]?.name, heard.join("")]).toEqual(["one", listed.stdout]);
  expect(pids()).toHaveLength(1);
});

test("one whose command failed does no further one, and what it said is that command's", async () => {
  const failed = await ask("small", ["preview", "--stack", "none"]);
  expect(failed).toMatchObject({ status: 6, stdout: "" });
  expect(failed.stderr).toContain("no stack named 'none' found");
  expect(await ask("nowhere", ["version"])).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("nowhere") });
  expect(await ask("small", ["version"])).toMatchObject({ status: 0, stderr: "" });
  expect(new Set(pids()).size).toBe(3);
  await until(() => pids().filter(isProcessAlive).length === 1);
});

test("two at once have a process each; one that dies in the middle is told with its last words, and the next command has another", async () => {
  const dying = file("dying.cjs");
  fs.writeFileSync(
    dying,
    'process.on("message", ({ argv }) => { process.stderr.write("last words"); if (argv[0] === "die") process.kill(process.pid, "SIGKILL"); });\n',
  );
  const short = new ServedEngines(dying);
  expect(await short.run({ argv: ["die"], cwd: folder, env: {} })).toEqual({ status: "SIGKILL", stdout: "", stderr: "last words" });
  const none = new ServedEngines(file("there-is-none.cjs"));
  expect(await none.run({ argv: ["version"], cwd: folder, env: {} })).toMatchObject({ status: 1, stderr: expect.stringContaining("there-is-none.cjs") });

  const versions = await Promise.all([ask("small", ["version"]), ask("small", ["version"])]);
  expect(versions.map(({ status }) => status)).toEqual([0, 0]);
  const both = pids();
  expect(both).toHaveLength(2);
  for (const pid of both) process.kill(pid, "SIGKILL");
  await until(() => !both.some(isProcessAlive));
  expect(await ask("small", ["version"])).toEqual(versions[0]);
});

test("text that comes in pieces is put together, whatever it holds", async () => {
  const odd = file("odd.cjs");
  fs.writeFileSync(
    odd,
    'const wait = () => new Promise((done) => setTimeout(done, 30));\nprocess.on("message", async ({ marker }) => {\n' +
      'const bytes = Buffer.from("a\\0b😀\\0" + marker);\nfor (const byte of bytes) { process.stdout.write(Buffer.from([byte])); if (byte === 0 || byte > 127) await wait(); }\n' +
      "process.send({ marker, status: 0 });\nawait wait();\nprocess.stderr.write(marker);\n});\n",
  );
  const served = new ServedEngines(odd);
  const heard: string[] = [];
  const asked = { argv: [], cwd: folder, env: {}, onOutput: (text: string) => void heard.push(text) };
  expect(await served.run(asked)).toEqual({ status: 0, stdout: "a\0b😀\0", stderr: "" });
  expect(heard.join("")).toBe("a\0b😀\0");
  served.close();
});

const THING = 'new (require("@pulumi/pulumi").CustomResource)("world:index:Thing", "slow", { name: "slow", hangs: "until-cancel" });\n';
const WORLD = `plugins:\n  providers:\n    - name: world\n      path: ${ROOT}/bench/engine/plugin\n`;

test("a cancellation is the first signal: the operation ends in order and gives its lock back; the next command has another process", async () => {
  project("slow", THING, WORLD);
  await ask("slow", ["stack", "init", "dev"]);
  const cancel = new AbortController();
  const env = environment({ WORLD_LOG: file("slow.log") });
  const up = ask("slow", ["up", "--yes", "--skip-preview", "--stack", "dev"], { env, signal: cancel.signal });
  await until(() => fs.existsSync(file("slow.log")));
  cancel.abort();
  const ended = await up;
  expect([ended.status, ended.stdout + ended.stderr]).toEqual([1, expect.stringContaining("^C received; cancelling")]);
  const listed = await ask("slow", ["stack", "ls", "--json"]);
  const dev = JSON.parse(listed.stdout).find(({ name }: { name: string }) => name === "dev");
  expect([dev?.name, dev?.updateInProgress ?? false]).toEqual(["dev", false]);
  expect(pids()).toHaveLength(2);
});

test("a secret of one stack's settings is nothing to the next command", async () => {
  project("prints", 'const pulumi = require("@pulumi/pulumi");\npulumi.log.info("it says correct-horse-battery");\n');
  await ask("prints", ["stack", "init", "knows"]);
  await ask("prints", ["stack", "init", "knows-not"]);
  await ask("prints", ["config", "set", "--secret", "word", "correct-horse-battery", "--stack", "knows"]);
  expect((await ask("prints", ["preview", "--stack", "knows"])).stdout).not.toContain("correct-horse-battery");
  expect((await ask("prints", ["preview", "--stack", "knows-not"])).stdout).toContain("correct-horse-battery");
  expect(pids()).toHaveLength(1);
});

test("the process of this project's providers is kept too: each command has its own environment in it, and a command that failed takes it along", async () => {
  // The shell's parent is the providers' process; a changed trigger makes the command run again.
  const create = "echo $PPID $WORD; $LAST";
  project(
    "hosted",
    `const pulumi = require("@pulumi/pulumi");\nconst args = { create: "${create}", triggers: [process.env.TRIGGER] };\n` +
      'exports.said = new pulumi.CustomResource("command:local:Command", "say", { ...args, stdout: undefined }).stdout;\n',
  );
  await ask("hosted", ["stack", "init", "dev"]);
  const said = async (more: Record<string, string>): Promise<{ status: number | string; host: number; word: string }> => {
    const { status } = await ask("hosted", ["up", "--yes", "--skip-preview", "--stack", "dev"], { env: environment(more) });
    const { stdout } = await ask("hosted", ["stack", "output", "said", "--stack", "dev"]);
    const [host = "", word = ""] = stdout.trim().split(" ");
    return { status, host: Number(host), word };
  };
  const first = await said({ TRIGGER: "1", WORD: "first" });
  const second = await said({ TRIGGER: "2" });
  expect([first, second]).toEqual([
    { status: 0, host: first.host, word: "first" },
    { status: 0, host: first.host, word: "" },
  ]);
  const failed = await ask("hosted", ["up", "--yes", "--skip-preview", "--stack", "dev"], { env: environment({ TRIGGER: "3", LAST: "false" }) });
  expect(failed.status).toBe(1);
  await until(() => !isProcessAlive(first.host));
  const third = await said({ TRIGGER: "4" });
  expect(third).toEqual({ status: 0, host: expect.any(Number), word: "" });
  expect(third.host).not.toBe(first.host);
});
