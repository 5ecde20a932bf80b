/** The command line for people: what it says, refuses, and edits. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite, ENGINE_ROOT, type PulumiOptions, type Ran } from "./site";

// Each test runs several commands; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const pulumi = (args: string[], options: PulumiOptions = {}): Promise<Ran> => site.pulumi(args, options);

const stateFile = path.join(site.dir, "state/.pulumi/stacks/auto/dev.json");
const resources = () => JSON.parse(fs.readFileSync(stateFile, "utf8")).checkpoint.latest.resources;
const urnOf = (name: string): string => `urn:pulumi:dev::auto::world:index:Thing::${name}`;

test.each([
  [["--help"], 0, "stack change-secrets-provider passphrase"],
  [["stack", "--help"], 0, "usage: pulumi stack\n"],
  [["up", "--help"], 0, "-t, --target <value> (several times)"],
  [["-C", "/tmp", "version"], 0, "v3.260.0"],
])("%j says", async (args, code, text) => {
  const ran = await pulumi(args);
  expect([ran.code, ran.stdout]).toEqual([code, expect.stringContaining(text)]);
});

test.each([
  [["watch"], "`pulumi watch` is not supported by the embedded engine; the Pulumi CLI has it"],
  [["state", "upgrade"], "`pulumi state upgrade` is not supported"],
  [["stack", "webhook", "ls"], "`pulumi stack webhook list` needs Pulumi Cloud"],
  [["stack", "lss"], 'unknown command "lss" for "pulumi stack": new, select,', 1],
  [["upp"], 'unknown command "upp" for "pulumi"', 1],
  [["stack", "ls", "--nope"], "unknown flag: --nope", 1],
  [["destroy", "--exclude-dependents"], "unknown flag: --exclude-dependents", 1],
  [["preview", "--yes"], "unknown flag: --yes", 1],
  [["up", "--attach-debugger"], "--attach-debugger of `pulumi up` is not supported by the embedded engine"],
  [["up"], "--yes or --skip-preview or --preview-only must be passed in"],
  [["stack", "rename"], "wrong number of arguments", 1],
])("%j is refused", async (args, text, code = 2) => {
  const ran = await pulumi(args as string[]);
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([code, "", expect.stringContaining(text as string)]);
});

test("what is to be touched and what is to be left out cannot both be named", async () => {
  const ran = await pulumi(["destroy", "--yes", "--target", "a", "--exclude", "b"]);
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([1, "", expect.stringContaining("[exclude target] were all set")]);
});

test("up by lines: each step once when it begins and once when it ends; colours only when asked for", async () => {
  await pulumi(["stack", "init", "dev"]);
  const { code, stdout } = await pulumi(["up", "--yes", "--non-interactive"]);
  expect(code).toBe(0);
  const lines = stdout.split("\n").map((line) => line.replace(/\(\d+\.\d+s\)/, "(t)").replace(/\d+\.\d+s/, "t"));
  expect(lines).toEqual([
    "Updating (dev):",
    "",
    " +  pulumi:pulumi:Stack auto-dev creating",
    " +  world:index:Thing thing-0 creating",
    " +  world:index:Thing thing-0 created (t)",
    " +  pulumi:pulumi:Stack auto-dev created (t)",
    "",
    "Outputs:",
    '  + names: ["thing-0"]',
    "  + password: [secret]",
    "",
    "Resources:",
    "    + 2 created",
    "",
    "Duration: t",
    "",
  ]);
  expect((await pulumi(["preview", "--color", "always"])).stdout).toContain("\x1b[");
});

test("an up whose reader goes away ends as it would have, and gives its lock back", async () => {
  await pulumi(["config", "set", "sleepMs", "20"]);
  const { code } = await pulumi(["up", "--yes"], { onOutput: (_piece, _stdin, stdout) => stdout.destroy() });
  expect(code).toBe(0);
  expect(resources().at(-1).inputs.sleepMs).toBe(20);
  await pulumi(["config", "rm", "sleepMs"]);
  expect((await pulumi(["up", "--yes"])).code).toBe(0);
});

test("preview --diff shows what changes; --json is one document", async () => {
  await pulumi(["config", "set", "size", "9"]);
  const { stdout } = await pulumi(["preview", "--diff"]);
  expect(stdout).toContain(" ~  world:index:Thing thing-0 update [diff: ~size]\n      ~ size: 1 => 9\n");
  expect(stdout).not.toContain("debug:");
  expect((await pulumi(["preview", "--debug"])).stdout).toMatch(/debug: Registering resource: t=world:index:Thing, name=thing-0/);
  const { changeSummary, steps } = JSON.parse((await pulumi(["preview", "--json"])).stdout);
  expect([changeSummary, steps.map(({ op }: { op: string }) => op)]).toEqual([{ same: 1, update: 1 }, ["same", "update"]]);
});

test("state: protect, unprotect, rename and delete, with what depends on it named", async () => {
  expect((await pulumi(["state", "protect", urnOf("thing-0")])).stderr).toContain("--yes must be passed in");
  await pulumi(["state", "protect", urnOf("thing-0"), "--yes"]);
  expect(resources().at(-1)).toMatchObject({ urn: urnOf("thing-0"), protect: true });
  const provider = resources()[1].urn;
  expect((await pulumi(["state", "delete", provider, "--yes"])).stderr).toContain(`the following resources depend on it:\n * ${urnOf("thing-0")}`);
  expect((await pulumi(["state", "delete", urnOf("thing-0"), "--yes"])).stderr).toContain("because it is protected");
  await pulumi(["state", "unprotect", "--all", "--yes"]);
  await pulumi(["state", "rename", urnOf("thing-0"), "other", "--yes"]);
  expect(resources().at(-1).urn).toBe(urnOf("other"));
  expect((await pulumi(["state", "delete", urnOf("none"), "--yes"])).stderr).toContain(`No such resource "${urnOf("none")}"`);
  await pulumi(["state", "rename", urnOf("other"), "thing-0", "--yes"]);
  expect((await pulumi(["state", "delete", provider, "--yes", "--target-dependents"])).code).toBe(0);
  expect([resources().length, site.things()]).toEqual([1, ["thing-0"]]);
});

test("the passphrase changes: from a file, config and state alike; the old one opens nothing any more", async () => {
  await pulumi(["config", "set", "token", "--secret"], { input: "hush" });
  await pulumi(["up", "--yes"]);
  const wrong = await pulumi(["stack", "change-secrets-provider", "passphrase"], { input: "next\n", env: { PULUMI_CONFIG_PASSPHRASE: "wrong" } });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("incorrect passphrase")]);
  expect((await pulumi(["stack", "change-secrets-provider", "passphrase"], { input: "next\n" })).code).toBe(0);
  expect((await pulumi(["config", "get", "token"])).stderr).toContain("incorrect passphrase");
  const file = path.join(site.dir, "passphrase");
  fs.writeFileSync(file, "next\n");
  const { PULUMI_CONFIG_PASSPHRASE: _old, ...others } = site.env;
  for (const name of Object.keys(site.env)) delete site.env[name];
  Object.assign(site.env, { ...others, PULUMI_CONFIG_PASSPHRASE_FILE: file });
  expect([(await pulumi(["config", "get", "token"])).stdout, (await pulumi(["stack", "output", "password", "--show-secrets"])).stdout]).toEqual([
    "hush\n",
    "s3cr3t\n",
  ]);
  expect((await pulumi(["preview", "--expect-no-changes"])).code).toBe(0);
});

test("a killed up forgets nothing: all that exists is in the state or pending, and the next run goes on", async () => {
  await pulumi(["config", "set", "count", "12"]);
  await pulumi(["config", "set", "sleepMs", "150"]);
  const env = { ...process.env, ...site.env };
  const killed = await new Promise((resolve) => {
    const child = execFile(path.join(ENGINE_ROOT, "bin", "pulumi"), ["up", "--yes", "--parallel", "3"], { cwd: site.workDir, env }, (error) =>
      resolve(error?.signal),
    );
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
      if ((said.match(/Thing thing-\d+ created/g) ?? []).length >= 4) child.kill("SIGKILL");
    });
  });
  expect(killed).toBe("SIGKILL");
  const { latest } = JSON.parse(fs.readFileSync(stateFile, "utf8")).checkpoint;
  const known = [...latest.resources, ...(latest.pending_operations ?? []).map(({ resource }: { resource: unknown }) => resource)].map(({ urn }) =>
    urn.split("::").at(-1),
  );
  expect(site.things().filter((name) => !known.includes(name))).toEqual([]);
  expect((latest.pending_operations ?? []).length).toBeLessThanOrEqual(3);
  // The lock of a process of this host that has exited is taken over, and that is reported.
  const next = await pulumi(["up", "--yes"]);
  expect([next.code, next.stderr]).toEqual([
    0,
    expect.stringMatching(/took over the lock of \S+: it was held by .* \(pid \d+\) at [^ ]+, a process of this host that is not running any more/),
  ]);
  expect(resources().filter(({ type }: { type: string }) => type === "world:index:Thing")).toHaveLength(12);
});
