/** Failures outside the engine, with real processes: plugins that crash or hang, programs that never end, signals. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { parseCheckpoint } from "../../engine/backend/checkpoint";
import { brokenRule } from "../../engine/snapshot/integrity";
import { deserializeSnapshot } from "../../engine/snapshot/serialize";
import { AutomationSite, ENGINE_ROOT } from "../automation/site";

// Each test starts several processes, which takes long on a busy machine.
jest.setTimeout(240_000);

/** Environment variables of the program: THINGS has the inputs of each Thing by name, ENDS says how it ends after registering them. */
const PROGRAM = `const pulumi = require("@pulumi/pulumi");
for (const [name, { secret, ...inputs }] of Object.entries(JSON.parse(process.env.THINGS)))
  new pulumi.CustomResource("world:index:Thing", name, { name, ...inputs, ...(secret ? { secret: pulumi.secret(secret) } : {}) });
if (process.env.ENDS === "never") setInterval(() => undefined, 1000);
if (process.env.ENDS === "exit") process.exitCode = 3;
`;

const site = new AutomationSite();
site.write("index.js", PROGRAM);
const log = path.join(site.dir, "log");
const stateFile = path.join(site.dir, "state/.pulumi/stacks/auto/dev.json");
const urnOf = (name: string): string => `urn:pulumi:dev::auto::world:index:Thing::${name}`;
afterAll(() => site.remove());

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

interface How {
  things?: Record<string, object>;
  ends?: string;
  /** Signals to send, each when the log or the output contains `after`. */
  signals?: { after: string; signal: NodeJS.Signals }[];
}

function run(args: string[], { things = {}, ends = "", signals = [] }: How = {}): Promise<Ran> {
  fs.writeFileSync(log, "");
  return new Promise((resolve) => {
    const env = { ...process.env, ...site.env, THINGS: JSON.stringify(things), ENDS: ends, WORLD_LOG: log };
    const left = [...signals];
    let said = "";
    const look = (): void => {
      const [next] = left;
      if (next === undefined || !(said + fs.readFileSync(log, "utf8")).includes(next.after)) return;
      left.shift();
      child.kill(next.signal);
    };
    const timer = setInterval(look, 20);
    const child = execFile(path.join(ENGINE_ROOT, "bin", "pulumi"), args, { cwd: site.workDir, env }, (error, stdout, stderr) => {
      clearInterval(timer);
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
  });
}

/** The resources, pending operations and locks on disk; asserts that the state keeps the integrity rules. */
function state(): { things: Record<string, string | undefined>; pending: string[]; locks: number } {
  const { latest, journalled } = parseCheckpoint(fs.readFileSync(stateFile, "utf8"), stateFile);
  const { resources, pendingOperations } = deserializeSnapshot(
    { resources: latest?.resources ?? [], pending_operations: latest?.pending_operations ?? [] },
    { encrypt: (text) => text, decrypt: () => "null" },
  );
  expect([journalled, brokenRule(resources)]).toEqual([false, undefined]);
  const locks = path.join(site.dir, "state/.pulumi/locks/organization/auto/dev");
  const name = (urn: string): string => urn.split("::").at(-1) ?? "";
  return {
    things: Object.fromEntries(resources.filter((r) => r.type === "world:index:Thing").map((r) => [name(r.urn), r.id])),
    pending: pendingOperations.map(({ type, resource }) => `${type} ${name(resource.urn)}`),
    locks: fs.existsSync(locks) ? fs.readdirSync(locks).length : 0,
  };
}

test("a plugin that crashes in a creation: named, with its exit code and what it said last, secrets hidden; the creation stays pending", async () => {
  await run(["stack", "init", "dev"]);
  const crash = await run(["up", "--yes", "--parallel", "1"], { things: { good: {}, bad: { crashes: 3, secret: "Zq9-tragedy-88" } } });
  expect([crash.code, crash.stdout]).toEqual([
    1,
    expect.stringMatching(
      /the plugin of provider world ended in the middle of a call \(exit code 3\); the end of its stderr:\n\s+cannot go on with .*"secret":/,
    ),
  ]);
  expect(crash.stdout + crash.stderr).toContain("[secret]");
  expect(crash.stdout + crash.stderr).not.toContain("Zq9-tragedy-88");
  expect(state()).toEqual({ things: { good: expect.any(String) }, pending: ["creating bad"], locks: 0 });

  const next = await run(["up", "--yes"], { things: { good: {}, other: {} } });
  expect([next.code, next.stdout]).toEqual([
    0,
    expect.stringContaining(`with 1 pending operations from previous deployment.\n      * ${urnOf("bad")}, interrupted while creating`),
  ]);
  expect(next.stdout).toContain("clear the pending operations with `pulumi refresh --clear-pending-creates`");
  // Whoever runs the engine has a command of its own.
  process.env["HOMELAB_PENDING_COMMAND"] = "homelab pending <stack> --lab";
  const named = await run(["up", "--yes"], { things: { good: {}, other: {} } }).finally(() => delete process.env["HOMELAB_PENDING_COMMAND"]);
  expect(named.stdout).toContain("`homelab pending dev --lab` looks at them, and says how each is taken into the state or forgotten.");
  expect(named.stdout).not.toContain("pulumi refresh");
  expect(state()).toMatchObject({ things: { good: expect.any(String), other: expect.any(String) }, pending: ["creating bad"] });
  expect((await run(["refresh", "--yes", "--clear-pending-creates"])).code).toBe(0);
  expect(state().pending).toEqual([]);
});

test("a plugin that hangs: the first signal asks it to cancel and waits, the second ends everything at once and keeps the note", async () => {
  const signals = [
    { after: "Create stuck", signal: "SIGINT" as const },
    { after: "Cancel", signal: "SIGINT" as const },
  ];
  const hung = await run(["up", "--yes"], { things: { good: {}, other: {}, stuck: { hangs: true } }, signals });
  const plugin = Number(/Cancel (\d+)/.exec(fs.readFileSync(log, "utf8"))?.[1]);
  expect([hung.code, hung.stdout]).toEqual([1, expect.stringMatching(/\^C received; cancelling\.[\s\S]*orphaned resources[\s\S]*\^C received; terminating/)]);
  expect(hung.stdout).toContain("update terminated: what was under way is in an unknown state");
  expect(isProcessAlive(plugin)).toBe(false);
  expect(state()).toEqual({ things: { good: expect.any(String), other: expect.any(String) }, pending: ["creating stuck"], locks: 0 });
});

test("a pending creation that did succeed is taken over by its ID, and read; one that is not pending is named", async () => {
  fs.writeFileSync(path.join(site.world, "made-after-all"), JSON.stringify({ name: "stuck", size: 7 }));
  const given = [urnOf("stuck"), "made-after-all", urnOf("none"), "x"].flatMap((word) => ["--import-pending-creates", word]);
  const refreshed = await run(["refresh", "--yes", ...given]);
  expect([refreshed.code, refreshed.stderr]).toEqual([0, expect.stringContaining(`"${urnOf("none")}" did not correspond to a pending create`)]);
  expect(state()).toMatchObject({ things: { stuck: "made-after-all" }, pending: [] });
  expect((await run(["preview", "--expect-no-changes"], { things: { good: {}, other: {}, stuck: { size: 7 } } })).code).toBe(0);
  const odd = await run(["refresh", "--yes", "--import-pending-creates", urnOf("stuck")]);
  expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("found an odd number of entries")]);
});

test("a provider that heeds Cancel ends the run at the first signal, and nothing is pending", async () => {
  const things = { good: {}, other: {}, stuck: { size: 7 }, slow: { hangs: "until-cancel" } };
  const { code, stdout } = await run(["up", "--yes"], { things, signals: [{ after: "Create slow", signal: "SIGTERM" }] });
  expect([code, stdout]).toEqual([1, expect.stringMatching(/SIGTERM received; cancelling[\s\S]*error: cancelled/)]);
  expect(state()).toMatchObject({ pending: [], locks: 0 });
});

test("a program that never ends is cancelled; one that exits with a code is a failure that says so; neither deletes anything", async () => {
  const things = { good: {}, fresh: {} };
  const endless = await run(["up", "--yes"], { things, ends: "never", signals: [{ after: "Thing fresh created", signal: "SIGINT" }] });
  expect([endless.code, endless.stderr]).toEqual([1, expect.stringContaining("update canceled")]);
  const exits = await run(["up", "--yes"], { things, ends: "exit" });
  expect([exits.code, exits.stderr]).toEqual([1, expect.stringContaining("Program exited with non-zero exit code: 3")]);
  expect(Object.keys(state().things).sort()).toEqual(["fresh", "good", "other", "stuck"]);
});

/** It runs in a process of its own, since the SDK and jest both handle unhandled rejections. */
const INLINE = `const pulumi = require("@pulumi/pulumi");
const { LocalWorkspace, PulumiCommand } = require("@pulumi/pulumi/automation");
const { root, env, workDir } = JSON.parse(process.argv[2]);
let broken = false;
const program = async () => {
  new pulumi.CustomResource("world:index:Thing", "inline", { name: "inline" });
  if (broken) throw new Error("the inline program is broken");
};
(async () => {
  const options = { pulumiCommand: await PulumiCommand.get({ root }), envVars: env, workDir };
  const stack = await LocalWorkspace.createOrSelectStack({ stackName: "inline", projectName: "auto", program }, options);
  await stack.up();
  broken = true;
  const error = await stack.up().then(() => "it went well", (thrown) => thrown.message);
  broken = false;
  const { summary } = await stack.up({ expectNoChanges: true });
  console.log(JSON.stringify({ error, changes: summary.resourceChanges }));
})();
`;

test("an inline program that throws: its words, no deletions, and the stack goes on", async () => {
  site.write("inline.cjs", INLINE);
  const facts = JSON.stringify({ root: ENGINE_ROOT, env: site.env, workDir: site.workDir });
  const out = await new Promise<string>((resolve) =>
    execFile(process.execPath, [path.join(site.workDir, "inline.cjs"), facts], { cwd: site.workDir }, (error, stdout, stderr) =>
      resolve(error === null ? stdout : stderr),
    ),
  );
  expect(JSON.parse(out)).toEqual({ error: expect.stringContaining("the inline program is broken"), changes: { same: 2 } });
});
