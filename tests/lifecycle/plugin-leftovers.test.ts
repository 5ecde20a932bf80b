/** Plugins and programs as real processes: helpers that they leave behind, many plugins at once, arguments and runtimes. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "../automation/site";

jest.setTimeout(240_000);

const site = new AutomationSite();
afterAll(() => site.remove());
const locks = (): number => {
  const folder = path.join(site.dir, "state/.pulumi/locks/organization/auto/dev");
  return fs.existsSync(folder) ? fs.readdirSync(folder).length : 0;
};
const projectFile = (plugins: string): void => site.write("Pulumi.yaml", `name: auto\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${plugins}`);

/** Starts a detached process that keeps the output pipes of its parent open for a while. */
const HELPER = `require("child_process").spawn("sleep", ["20"], { detached: true, stdio: ["ignore", "inherit", "inherit"] }).unref();`;

beforeAll(async () => {
  expect((await site.pulumi(["stack", "init", "dev"])).code).toBe(0);
});

test("a plugin and a program whose helpers keep their output open: the run ends, and gives its lock back", async () => {
  const plugin = path.resolve(__dirname, "../../bench/engine/plugin/pulumi-resource-world");
  const folder = path.join(site.dir, "plugin");
  fs.mkdirSync(folder);
  fs.symlinkSync(path.join(site.workDir, "node_modules"), path.join(folder, "node_modules"));
  fs.copyFileSync(plugin, path.join(folder, "world.cjs"));
  fs.writeFileSync(path.join(folder, "pulumi-resource-world"), `#!/usr/bin/env node\n${HELPER}\nrequire("./world.cjs");\n`, { mode: 0o755 });
  projectFile(`plugins:\n  providers:\n    - name: world\n      path: ${folder}\n`);
  site.write(
    "index.js",
    `${HELPER}\nconst pulumi = require("@pulumi/pulumi");\nnew pulumi.CustomResource("world:index:Thing", "a", { name: "a" });\nconsole.log("zwölf ✓");\n`,
  );
  for (const command of ["up", "destroy"]) {
    const ran = await site.pulumi([command, "--yes", "--skip-preview"]);
    expect([ran.code, ran.stderr.includes("ESRCH"), locks()]).toEqual([0, false, 0]);
    if (command === "up") expect(ran.stdout + ran.stderr).toContain("zwölf ✓");
  }
  expect(site.things()).toEqual([]);
});

test("a dozen providers in one process give no warning of Node, and each message is printed once", async () => {
  projectFile("");
  site.write(
    "index.js",
    `const { Provider, local } = require("@pulumi/command");\nfor (let i = 0; i < 12; i++) new local.Command("c" + i, { create: "true" }, { provider: new Provider("p" + i) });\n`,
  );
  const ran = await site.pulumi(["up", "--yes", "--skip-preview"]);
  expect([ran.code, ran.code === 0 ? "" : ran.stdout + ran.stderr, /MaxListeners/.test(ran.stdout + ran.stderr)]).toEqual([0, "", false]);
  expect((await site.pulumi(["destroy", "--yes", "--skip-preview"])).code).toBe(0);
});

test("a program gets its Node arguments as they were quoted, and the SDK sees no loader but the user's own", async () => {
  site.write("Pulumi.yaml", `name: auto\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    nodeargs: --title="a b" --no-warnings\n`);
  site.write("index.js", "console.log(JSON.stringify([process.title, process.execArgv]));\n");
  const { stdout, stderr } = await site.pulumi(["preview"]);
  const [, title, args] = /\[("a b"),(\[.*\])\]/.exec(stdout + stderr) ?? [];
  expect([title, JSON.parse(args ?? "[]")]).toEqual(['"a b"', ["-r", expect.stringMatching(/preload\.js$/), "--title=a b", "--no-warnings"]]);
});

test("a program of another language is refused when it would be started; operations that do not run it work", async () => {
  site.write("Pulumi.yaml", "name: auto\nruntime: python\n");
  const refused = await site.pulumi(["preview"]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("runtime python is not supported by the embedded engine")]);
  for (const args of [
    ["refresh", "--yes"],
    ["destroy", "--yes"],
  ])
    expect((await site.pulumi(args)).code).toBe(0);
  // With --client the engine connects to a running language host instead. Here none listens.
  const served = await site.pulumi(["preview", "--client=127.0.0.1:1"]);
  expect([served.code, served.stdout + served.stderr]).toEqual([1, expect.stringMatching(/unhandled error occurred: [\s\S]*127\.0\.0\.1:1/)]);
});

test("PULUMI_PARALLEL that is no number is refused, and does not mean no limit", async () => {
  projectFile("");
  const ran = await site.pulumi(["up", "--yes", "--skip-preview"], { env: { PULUMI_PARALLEL: "many" } });
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("PULUMI_PARALLEL must be a whole number, not many")]);
});

test.each([
  ["--parallel=0", { flag: "--parallel=0" }, 1],
  ["--parallel=-1", { flag: "--parallel=-1" }, 1],
  ["--parallel=2", { flag: "--parallel=2" }, 2],
  ["PULUMI_PARALLEL=0: the default", { environment: "0" }, 3],
  ["PULUMI_PARALLEL=-1: the default", { environment: "-1" }, 3],
  ["PULUMI_PARALLEL beyond 32 bits", { environment: "99999999999" }, 3],
])("%s: so many creations run at once", async (_name, { flag, environment }: { flag?: string; environment?: string }, expected) => {
  projectFile(`plugins:\n  providers:\n    - name: world\n      path: ${path.resolve(__dirname, "../../bench/engine/plugin")}\n`);
  site.write(
    "index.js",
    `const pulumi = require("@pulumi/pulumi");\nfor (const name of ["a", "b", "c"]) new pulumi.CustomResource("world:index:Thing", name, { name, sleepMs: 700 });\n`,
  );
  const events = path.join(site.dir, "events.jsonl");
  fs.rmSync(events, { force: true });
  const options = environment === undefined ? {} : { env: { PULUMI_PARALLEL: environment } };
  const ran = await site.pulumi(["up", "--yes", "--skip-preview", "--event-log", events, ...(flag === undefined ? [] : [flag])], options);
  expect([ran.code, ran.code === 0 ? "" : ran.stdout + ran.stderr]).toEqual([0, ""]);
  let [running, most] = [0, 0];
  for (const line of fs.readFileSync(events, "utf8").trim().split("\n")) {
    const { resourcePreEvent, resOutputsEvent } = JSON.parse(line) as Record<string, { metadata: { type: string } } | undefined>;
    if (resourcePreEvent?.metadata.type === "world:index:Thing") most = Math.max(most, ++running);
    if (resOutputsEvent?.metadata.type === "world:index:Thing") running--;
  }
  expect(most).toBe(expected);
  expect((await site.pulumi(["destroy", "--yes", "--skip-preview"])).code).toBe(0);
});

test.each([
  ["by a reference", `exports.value = new pulumi.StackReference("organization/auto/gone").getOutput("value");`],
  ["by an invoke", `exports.value = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: "organization/auto/gone" });`],
])("a program that reads a stack that is not there %s shows which one, and nothing of how the run ends", async (_how, line) => {
  projectFile("");
  site.write("index.js", `const pulumi = require("@pulumi/pulumi");\n${line}\n`);
  for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
    const { code, stdout, stderr } = await site.pulumi(args);
    expect([code, stdout + stderr]).toEqual([expect.any(Number), expect.stringContaining('unknown stack "organization/auto/gone"')]);
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/is terminating|bug in the/);
  }
});
