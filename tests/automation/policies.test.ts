/** Policy packs by the command line: what they see, what follows from what they say, and packs that cannot be used. */
import * as fs from "node:fs";
import * as path from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { until } from "../support/served-engines";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const PACK = path.join(__dirname, "policy-pack");
const LOG = "events.json";
const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const PROGRAM = `const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
class Thing extends pulumi.CustomResource {
  constructor(name, args, opts) { super("world:index:Thing", name, args, opts); }
}
const first = new Thing("first", { name: config.get("name") ?? "first", size: config.getNumber("size") ?? 2, password: pulumi.secret("hunter2-hidden") });
new Thing("second", { name: "second", size: 2, link: first.id }, { protect: config.getBoolean("protect"), customTimeouts: { create: "5m" }, ignoreChanges: ["x"] });
`;

interface State {
  urn: string;
  inputs: Record<string, unknown>;
}

const config = (settings: object): string => {
  const file = path.join(site.dir, "policies.json");
  fs.writeFileSync(file, JSON.stringify(settings));
  return file;
};
const run = (args: string[], settings?: object) =>
  site.pulumi([...args, "--event-log", LOG, "--policy-pack", PACK, ...(settings === undefined ? [] : ["--policy-pack-config", config(settings)])]);
const up = (args: string[] = [], settings?: object) => run(["up", "--yes", "--skip-preview", ...args], settings);
const preview = (args: string[] = [], settings?: object) => run(["preview", ...args], settings);
/** The line of the settings without which the passphrase decrypts nothing. */
const salt = (): string => /^encryptionsalt: .*\n/m.exec(fs.readFileSync(path.join(site.workDir, "Pulumi.dev.yaml"), "utf8"))?.[0] ?? "";
const state = async (name: string): Promise<State | undefined> => {
  const { stdout } = await site.pulumi(["stack", "export", "--show-secrets"]);
  return (JSON.parse(stdout).deployment.resources ?? []).find(({ urn }: State) => urn.endsWith(`Thing::${name}`));
};
/** `[level]  policy  (subject)` and message, of the section of policies. */
const section = (stdout: string): string => /\nPolicies:\n([\s\S]*?)(\n\n|$)/.exec(stdout)?.[1] ?? "";
function events(kind: string): Record<string, unknown>[] {
  const lines = fs.readFileSync(path.join(site.workDir, LOG), "utf8").trim().split("\n");
  return lines.flatMap((line) => JSON.parse(line)[kind] ?? []);
}

beforeAll(() => site.pulumi(["stack", "init", "dev"]));
beforeEach(() => {
  site.write("index.js", PROGRAM);
  site.write("Pulumi.dev.yaml", `${salt()}config:\n  auto:plain: a setting\n`);
});
afterEach(async () => {
  if (site.things().length > 0) expect(await site.pulumi(["destroy", "--yes", "--skip-preview"])).toMatchObject({ code: 0 });
  fs.rmSync(path.join(site.workDir, LOG), { force: true });
});

test("a mandatory policy stops the resource that violates it, and is shown with pack, policy, resource and reason", async () => {
  const tried = await preview(["-c", "name=a-very-long-name"]);
  expect(tried).toMatchObject({ code: 1, stderr: expect.stringContaining("first: mandatory: name-is-short (things): Names of things are short.") });
  expect(tried.stdout).toContain(
    `    ❌ things@v1.2.3 (local: ${PACK})\n        - [mandatory] [severity: high]  name-is-short  (world:index:Thing: first)\n          Names of things are short.\n          a-very-long-name has more than 8 letters\n`,
  );
  expect(tried.stdout).toContain("error: preview failed");
  expect(tried.stdout).not.toContain("Resources:");
  const { diagnostics } = JSON.parse((await preview(["--json", "-c", "name=a-very-long-name"])).stdout);
  expect(diagnostics).toContainEqual(
    expect.objectContaining({ severity: "error", message: expect.stringContaining("a-very-long-name has more than 8 letters") }),
  );
  expect(await up()).toMatchObject({ code: 1 });
  expect(site.things()).toEqual([]);
  expect(events("policyEvent")).toContainEqual({
    resourceUrn: "urn:pulumi:dev::auto::world:index:Thing::first",
    message: "Names of things are short.\na-very-long-name has more than 8 letters\n",
    color: "never",
    policyName: "name-is-short",
    policyPackName: "things",
    policyPackVersion: "1.2.3",
    policyPackVersionTag: "1.2.3",
    enforcementLevel: "mandatory",
    severity: "high",
  });
});

test("an advisory one is shown and stops nothing; one that is disabled says nothing", async () => {
  const ran = await up(["-c", "size=12"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(section(ran.stdout)).toBe(
    `    ⚠️ things@v1.2.3 (local: ${PACK})\n        - [advisory]  size-is-small  (world:index:Thing: first)\n          Small things are better.\n          size 12`,
  );
  expect(site.things()).toEqual(["first", "second"]);
  expect(events("summaryEvent")).toMatchObject([{ PolicyPacks: { [`things|local|${PACK}`]: "1.2.3" } }]);
  expect(events("policyAnalyzeStackSummaryEvent")).toMatchObject([{ policyPackName: "things", passed: ["few-things"] }]);
});

test("a remediation changes what is made, secrets stay secret, and what it changed is no change the next time", async () => {
  const ran = await up(["-c", "size=3"]);
  expect(ran).toMatchObject({ code: 0 });
  expect(section(ran.stdout)).toBe(`    ✅ things@v1.2.3 (local: ${PACK})\n        - [remediate]  size-is-even  (1 resource)`);
  const made = await state("first");
  expect(made?.inputs).toMatchObject({ size: 4, password: { plaintext: '"hunter2-hidden"' } });
  expect(fs.readFileSync(path.join(site.workDir, LOG), "utf8")).not.toContain("hunter2");
  expect(events("policyRemediationEvent")).toMatchObject([{ policyName: "size-is-even", before: { size: 3 }, after: { size: 4 } }]);
  expect((await preview(["--expect-no-changes", "--show-policy-remediations"])).stdout).toContain(
    "        - [remediate]  size-is-even  (world:index:Thing: first) [diff: ~size]",
  );
  // A changed name makes it anew, from inputs that are checked anew.
  expect(await up(["-c", "name=other"])).toMatchObject({ code: 0 });
  expect((await state("first"))?.inputs).toMatchObject({ name: "other", size: 4 });
});

test("a policy that reads an unknown value is reported as advice by the preview, and decided by the update", async () => {
  const tried = await preview();
  expect(tried).toMatchObject({ code: 0 });
  expect(section(tried.stdout)).toContain(
    "        - [advisory]  link-is-known  (world:index:Thing: second)\n          can't run policy 'link-is-known' from policy pack 'things@v1.2.3' during preview: string value at .link can't be known during preview",
  );
  expect(section((await up()).stdout)).not.toContain("link-is-known");
});

test("a policy of the stack judges what was made: a violation fails the run, and forgets nothing", async () => {
  const settings = { "few-things": { most: 1 } };
  expect((await preview([], settings)).code).toBe(1);
  const ran = await up([], settings);
  expect(ran).toMatchObject({ code: 1 });
  expect(section(ran.stdout)).toContain(
    "        - [mandatory]  few-things  (world:index:Thing: second)\n          A stack has few things.\n          first of 2 with ,second of 2 with first",
  );
  expect(site.things()).toEqual(["first", "second"]);
  expect(await state("second")).toBeDefined();
});

test("a policy sees inputs, options, provider and stack; the secrets that it tells are hidden", async () => {
  const ran = await up([], { "tells-all": "advisory", passphrase: "advisory" });
  expect(ran).toMatchObject({ code: 0 });
  const told = events("policyEvent").flatMap(({ policyName, message }) =>
    policyName === "tells-all" ? [JSON.parse(String(message).split("\n")[1] ?? "")] : [],
  );
  expect(told).toEqual([
    {
      name: "first",
      props: { name: "first", size: 2, password: "[secret]" },
      opts: expect.objectContaining({ protect: false, parent: "urn:pulumi:dev::auto::pulumi:pulumi:Stack::auto-dev" }),
      provider: { type: "pulumi:providers:world", props: {} },
      rest: ["asType", "isType", "notApplicable", "type"],
    },
    expect.objectContaining({
      name: "second",
      opts: expect.objectContaining({ ignoreChanges: ["x"], customTimeouts: { createSeconds: 300, updateSeconds: 0, deleteSeconds: 0 } }),
    }),
  ]);
  expect(ran.stdout).toContain("looking at first with password [secret]");
  expect(ran.stdout).toContain("auto dev a setting");
  expect(ran.stdout + ran.stderr).not.toContain("hunter2");
});

test("a policy that throws, and a pack that dies, fail the run by their names, without secrets", async () => {
  const thrown = await up([], { breaks: "mandatory" });
  expect(thrown).toMatchObject({ code: 1 });
  expect(thrown.stdout).toContain(
    "failed to run policy: Error validating resource with policy 'breaks' from policy pack 'things@v1.2.3':\n    Error: thrown with [secret]",
  );
  const died = await up([], { breaks: { enforcementLevel: "mandatory", how: "dies" } });
  expect(died).toMatchObject({ code: 1 });
  expect(died.stdout).toMatch(
    /failed to run policy: policy pack .*policy-pack ended in the middle of a call \(exit code 3\); the end of its stderr:\n\s+last words with \[secret\]/,
  );
  expect(site.things()).toEqual([]);
});

test("a policy of the stack that never answers does not hold the run: one signal ends it, with what was made in the state", async () => {
  const args = ["up", "--yes", "--skip-preview", "--policy-pack", PACK, "--policy-pack-config", config({ hangs: "mandatory" })];
  const asked = path.join(site.dir, "asked");
  let kill: ((signal: NodeJS.Signals) => boolean) | undefined;
  const running = site.pulumi(args, {
    env: { POLICY_ASKED: asked },
    onOutput: (_piece, _stdin, _stdout, killed) => {
      kill = killed;
    },
  });
  // The stack's policies are asked when everything has been made.
  await until(() => fs.existsSync(asked), 6_000);
  expect(kill?.("SIGINT")).toBe(true);
  expect(await running).toMatchObject({ code: 1, stderr: expect.stringContaining("update canceled") });
  expect(await state("second")).toMatchObject({ inputs: { name: "second" } });
  expect(site.things()).toEqual(["first", "second"]);
});

test("a resource that a target leaves alone is judged as it is; what is new and left out is not", async () => {
  expect(await up()).toMatchObject({ code: 0 });
  site.write("index.js", `${PROGRAM}new Thing("third", { name: "a-very-long-name", size: 2 });\n`);
  const target = ["--target", "urn:pulumi:dev::auto::world:index:Thing::second"];
  expect(await up([...target, "-c", "name=a-very-long-name"])).toMatchObject({ code: 0 });
  expect(await up(target, { "name-is-short": { longest: 3 } })).toMatchObject({ code: 1 });
});

test("settings are checked: by the policy's schema, by name and level, and as many files as packs", async () => {
  expect((await preview([], { "name-is-short": { longest: "x" } })).stderr).toMatch(
    /settings of policies are wrong:\nthings 1\.2\.3: name-is-short: longest: .*expected number/,
  );
  expect((await preview([], { "name-is-shrot": "mandatory" })).stderr).toContain("policy pack things has no policy name-is-shrot; it has breaks, few-things");
  expect((await preview([], { "name-is-short": "mandatroy" })).stderr).toContain(
    "policies.json: name-is-short must be a level (advisory, mandatory, remediate, disabled)",
  );
  expect((await preview(["-c", "name=a-very-long-name"], { all: "disabled" })).code).toBe(0);
  expect((await site.pulumi(["preview", "--policy-pack-config", "x.json"])).stderr).toContain('"--policy-pack-config" must be specified with "--policy-pack"');
  expect((await site.pulumi(["preview", "--policy-pack", PACK, "--policy-pack-config", "a.json,b.json"])).stderr).toContain("must match the number");
});

describe("packs that cannot be used are named", () => {
  const pack = path.join(site.dir, "pack");
  const made = (files: Record<string, string>): void => {
    fs.mkdirSync(pack);
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(pack, name), text);
  };
  afterEach(() => fs.rmSync(pack, { recursive: true, force: true }));

  test.each([
    ["no folder", undefined, "cannot be loaded: there is no PulumiPolicy.yaml in it"],
    ["another runtime", { "PulumiPolicy.yaml": "runtime: python" }, "has runtime python, which the embedded engine does not run"],
    ["no description of one", { "PulumiPolicy.yaml": "version: 1" }, "PulumiPolicy.yaml does not describe a policy pack"],
    [
      "an entry point that the SDK's runner would not take",
      { "PulumiPolicy.yaml": "runtime: nodejs\nmain: dist" },
      "`main` is not supported; name the entry point in package.json",
    ],
    ["no YAML", { "PulumiPolicy.yaml": "runtime: [" }, "PulumiPolicy.yaml is not valid YAML"],
    ["no dependencies", { "PulumiPolicy.yaml": "runtime: nodejs" }, "its dependencies are not installed; run `npm install` there"],
  ])("%s", async (_name, files, message) => {
    if (files !== undefined) made(files as Record<string, string>);
    const ran = await site.pulumi(["up", "--yes", "--skip-preview", "--policy-pack", pack]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect(ran.stderr).toContain(pack);
    expect(site.things()).toEqual([]);
  });

  test("one that prints before it tells its port", async () => {
    made({ "PulumiPolicy.yaml": "runtime: nodejs", "package.json": '{"main":"index.js"}', "index.js": 'console.log("1"); setInterval(() => {}, 1000);' });
    fs.symlinkSync(path.join(site.workDir, "node_modules"), path.join(pack, "node_modules"));
    const ran = await site.pulumi(["preview", "--policy-pack", pack]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/policy pack \S*pack does not answer at 127.0.0.1:1 \(the first line of its/) });
  });

  test("one that does not start", async () => {
    made({ "PulumiPolicy.yaml": "runtime: nodejs", "package.json": '{"main":"index.js"}', "index.js": 'throw new Error("no luck");' });
    fs.symlinkSync(path.join(site.workDir, "node_modules"), path.join(pack, "node_modules"));
    const ran = await site.pulumi(["preview", "--policy-pack", pack]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/policy pack \S*pack failed to start: [\s\S]*no luck/) });
  });
});

test("the Automation API hands packs on", async () => {
  const stack = await LocalWorkspace.selectStack({ stackName: "dev", workDir: site.workDir }, await site.options());
  await stack.setConfig("name", { value: "a-very-long-name" });
  await expect(stack.preview({ policyPacks: [PACK] })).rejects.toThrow("name-is-short");
  await stack.preview({ policyPacks: [PACK], policyPackConfigs: [config({ "name-is-short": "advisory" })] });
});
