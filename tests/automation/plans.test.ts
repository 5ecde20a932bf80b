/** `preview --save-plan`, `up --plan`, `up --strict`: by the command line, and by the Automation API. */
import * as fs from "node:fs";
import * as path from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());
const plan = path.join(site.dir, "plan.json");
const read = () => JSON.parse(fs.readFileSync(plan, "utf8"));
const THING = "urn:pulumi:dev::auto::world:index:Thing::thing-0";

beforeAll(async () => {
  await site.pulumi(["stack", "init", "dev"]);
  await site.pulumi(["config", "set", "--secret", "token", "hush-hush"]);
});

test("a plan is written with its secrets encrypted, and with --show-secrets in the clear; the update under it does as planned", async () => {
  const saved = await site.pulumi(["preview", "--save-plan", plan]);
  expect(saved).toMatchObject({ code: 0, stderr: expect.stringContaining(`Run \`pulumi up --plan='${plan}'\` to constrain the update`) });
  const text = fs.readFileSync(plan, "utf8");
  expect(text).not.toMatch(/hidden-0|hush-hush|s3cr3t/);
  expect(read()).toMatchObject({
    manifest: { version: "v3.260.0" },
    config: { "auto:token": { secure: expect.stringMatching(/^v1:/) } },
    resourcePlans: { [THING]: { goal: { inputDiff: { adds: { name: "thing-0" } } }, steps: ["create"] } },
  });
  await site.pulumi(["preview", "--save-plan", plan, "--show-secrets"]);
  expect(read().resourcePlans[THING].goal.inputDiff.adds.password).toEqual(expect.objectContaining({ plaintext: '"hidden-0"' }));
  expect(await site.pulumi(["up", "--yes", "--plan", plan])).toMatchObject({ code: 0 });
  expect(site.things()).toEqual(["thing-0"]);
});

test("what goes beyond the plan stops the update, in the preview before it too, and touches nothing", async () => {
  await site.pulumi(["preview", "--save-plan", plan]);
  for (const more of [["--yes"], []]) {
    const ran = await site.pulumi(["up", "--plan", plan, "-c", "count=2", ...more], more.length === 0 ? { env: { PULUMI_SKIP_CONFIRMATIONS: "false" } } : {});
    if (more.length > 0)
      expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining("create is not allowed by the plan: no steps were expected for this resource") });
    else expect(ran.code).not.toBe(0);
    expect(site.things()).toEqual(["thing-0"]);
  }
  await site.pulumi(["config", "set", "count", "1"]);
});

test("--strict holds the update to the preview before it, and needs one", async () => {
  expect(await site.pulumi(["up", "--strict", "--skip-preview"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--strict cannot be used with --skip-preview; strict requires a preview"),
  });
  // The program wants another size each time that it runs.
  const program = fs.readFileSync(path.join(site.workDir, "index.js"), "utf8");
  site.write("index.js", program.replace('config.getNumber("size") ?? 1', "Date.now()"));
  const ran = await site.pulumi(["up", "--strict", "--yes"]);
  site.write("index.js", program);
  expect(ran).toMatchObject({ code: 1, stdout: expect.stringMatching(/violates plan: properties changed: ~~size\[\{.*\}!=\{.*\}\]/) });
  expect(await site.pulumi(["up", "--strict", "--yes", "-c", "size=2"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Previewing update") });
});

test("the Automation API saves a plan and runs by it", async () => {
  const stack = await LocalWorkspace.selectStack({ stackName: "dev", workDir: site.workDir }, await site.options());
  await stack.setConfig("size", { value: "3" });
  expect((await stack.preview({ plan })).changeSummary).toEqual({ same: 1, update: 1 });
  await stack.setConfig("size", { value: "4" });
  await expect(stack.up({ plan })).rejects.toThrow("properties changed: ~~size[{3}!={4}]");
  await stack.setConfig("size", { value: "3" });
  expect((await stack.up({ plan })).summary.resourceChanges).toEqual({ same: 1, update: 1 });
});

test.each([
  ["no file", undefined, "cannot be read: ENOENT"],
  ["half a file", "{", "cannot be read"],
  ["another file", '{"version":3}', "is no plan of `pulumi preview --save-plan`"],
  ["a field of a newer CLI", (text: string) => text.replace('"custom": true', '"custom": true, "retain": true'), 'Unrecognized key: "retain"'],
  ["another magic number", (text: string) => text.replace(/"magic": "./, '"magic": "x'), "wrong magic number"],
  ["a damaged secret", (text: string) => text.replace(/"ciphertext": "v1:[^"]*"/, '"ciphertext": "v1:AAAA:BBBB"'), "cannot be decrypted"],
])("a plan that is none is refused: %s", async (_name, content, message) => {
  await site.pulumi(["preview", "--save-plan", plan]);
  const file = path.join(site.dir, "bad.json");
  fs.rmSync(file, { force: true });
  if (content !== undefined) fs.writeFileSync(file, typeof content === "string" ? content : content(fs.readFileSync(plan, "utf8")));
  expect(await site.pulumi(["up", "--yes", "--plan", file])).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
});

test("a plan that cannot be written is an error with its file", async () => {
  expect(await site.pulumi(["preview", "--save-plan", path.join(site.dir, "no/plan.json")])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no/plan.json cannot be written"),
  });
});
