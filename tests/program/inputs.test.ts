/** The digests that `homelab up --affected` compares: a stack's digests change with what it is built from, and with nothing else. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { plannedOutputsFile, plannedOutputsSchema } from "../../common/planned-outputs";
import { parseKeyFile } from "../../secrets/age-keys";
import { encryptSopsFile, openSopsFile, treeOf } from "../../secrets/sops-file";
import { unknownOutput, writePlannedOutputs } from "../../stacks/outputs/planned-outputs";
import { outputSchemas } from "../../stacks/outputs/schemas";
import { consumedOf } from "../../stacks/plan/inputs";
import { planEstate, stackOf } from "../../stacks/plan/plan";
import { copyProgram, loadHomelab, placeHomelab } from "../support/homelab";
import { homelabRuns } from "../support/stack-run";

const { names: STACK_NAMES, run: runStack } = homelabRuns();

const ROOT = path.join(__dirname, "..", "..");
let copy: string;
beforeAll(() => {
  copy = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-inputs-"));
  copyProgram(copy);
  placeHomelab(copy);
});
afterAll(() => fs.rmSync(copy, { recursive: true, force: true }));

type Digests = Record<string, Record<string, string>>;
/** Node's arguments for inputs.js, as the orchestrator starts it. */
const question = (): string[] => ["--require", path.join(copy, "bin/stacks/preload-command.js"), path.join(copy, "bin/stacks/inputs.js")];
const env = { ...process.env, HOMELAB_SECRETS_DIR: "", SOPS_AGE_KEY_FILE: path.join(ROOT, "secrets", "lab-only.agekey") };

function ask(input = '{"key":"k"}'): Digests {
  const { stacks } = JSON.parse(execFileSync(process.execPath, question(), { input, env, encoding: "utf8" }));
  return Object.fromEntries(stacks.map(({ name, inputs }: { name: string; inputs: Record<string, string> }) => [name, inputs]));
}

const different = (before: Digests, now: Digests): string[] =>
  Object.keys(now).flatMap((stack) =>
    Object.keys({ ...before[stack], ...now[stack] }).flatMap((name) => (before[stack]?.[name] === now[stack]?.[name] ? [] : `${stack}: ${name}`)),
  );

/** Changes a file of the copy while `then` runs. */
function changed<T>(file: string, change: (text: string) => string, then: () => T): T {
  const target = path.join(copy, file);
  const text = fs.readFileSync(target, "utf8");
  try {
    fs.writeFileSync(target, change(text));
    expect(fs.readFileSync(target, "utf8")).not.toBe(text);
    return then();
  } finally {
    fs.writeFileSync(target, text);
  }
}

test("each change is seen by the stacks that are built from it, and by no others", () => {
  const before = ask();
  expect(ask()).toEqual(before);
  const after = (file: string, change: (text: string) => string): string[] => changed(file, change, () => different(before, ask()));
  // A VM: its own stack changes, and what else depends on it there.
  expect(after("site/vms/k8s-dev.yaml", (text) => text.replace(/^memory: .*$/m, "memory: 10240"))).toEqual([
    "dev: vm k8s-dev",
    "dev: the cluster and its network",
  ]);
  expect(after("Pulumi.dev.yaml", (text) => text.replace(/^config:$/m, "config:\n  homelab:protectVms: true"))).toEqual([
    "dev: settings",
    "dev: the plan of nodes, names and grants",
  ]);
  // The code of a module that one stack has.
  expect(after("bin/components/platform/argo-cd/argo-cd.js", (text) => `${text}\n`)).toEqual(["dev: program components/platform/argo-cd/argo-cd.ts"]);
  expect(after("bin/components/base/component.js", (text) => `${text}\n`)).toEqual(STACK_NAMES.map((name) => `${name}: program components/base/component.ts`));
  // A chart's version.
  const chart = after("bin/components/platform/argo-cd/values.js", (text) => text.replace(/version: "\d+\.\d+\.\d+"/, 'version: "0.0.1"'));
  expect(chart).toEqual(["dev: module argo-cd", "dev: program components/platform/argo-cd/values.ts"]);
  // A role for hosts of one stack changes only that stack, by its compiled script.
  expect(
    new Set(
      after("bin/ansible-replacements/roles/pihole.js", (text) => text.replaceAll("pihole answers", "pihole answers in time")).map(
        (line) => line.split(":")[0],
      ),
    ),
  ).toEqual(new Set(["tools"]));
  // A package of the SDK, and one of the tests.
  const version = (name: string) => (text: string) => {
    const lock = JSON.parse(text);
    lock.packages[`node_modules/${name}`].integrity = "sha512-other";
    return JSON.stringify(lock);
  };
  expect(after("package-lock.json", version("@pulumi/kubernetes"))).toEqual(STACK_NAMES.map((name) => `${name}: packages`));
  expect(after("package-lock.json", version("jest"))).toEqual([]);
});

test("a changed secret is seen by the stack that reads its entry, and by no other; the same value in another encryption is not", () => {
  const identities = parseKeyFile(fs.readFileSync(path.join(ROOT, "secrets", "lab-only.agekey"), "utf8"));
  const entry = "cluster-secret-store/secrets/GRAFANA";
  const file = `secrets/common/${entry}.yaml`;
  /** The file, encrypted anew, with what is added to each value. */
  const encrypted = (more: string) => (text: string) => {
    const { leaves, recipients } = openSopsFile(file, text, identities);
    const leavesNow = leaves.map(({ place, plain }) => ({ place, plain: { ...plain, text: `${plain.text}${more}` } }));
    return encryptSopsFile(treeOf(leavesNow), recipients, new Date());
  };
  const before = ask();
  expect(changed(file, encrypted(""), () => different(before, ask()))).toEqual([]);
  expect(changed(file, encrypted("x"), () => different(before, ask()))).toEqual([`tools: secret ${entry}`]);
});

test("digests are keyed, and show no value", () => {
  const [one, other] = [ask(), ask('{"key":"other"}')];
  expect(different(one, other)).toHaveLength(Object.values(one).reduce((sum, inputs) => sum + Object.keys(inputs).length, 0));
  for (const digest of Object.values(one).flatMap((inputs) => Object.values(inputs))) expect(digest).toMatch(/^[0-9a-f]{24}$/);
});

test("a secret that is not filled in, a question without a key: one line of JSON, exit code 1", () => {
  const result = spawnSync(process.execPath, question(), { input: "{}", env, encoding: "utf8" });
  expect([result.status, result.stdout]).toEqual([1, ""]);
  expect(JSON.parse(result.stderr)).toMatchObject({ code: "E_INTERNAL" });
});

/** What the question fails with; a file of the copy is compiled, so an emptied source is an emptied file. */
function failureWith(file: string, text: string): unknown {
  return changed(
    file,
    () => text,
    () => JSON.parse(spawnSync(process.execPath, question(), { input: '{"key":"k"}', env, encoding: "utf8" }).stderr),
  );
}

test.each([
  ["components/platform/minio/module", "", 'components/platform/catalogue.ts lists a module whose file exports nothing: the one after "cert-manager"'],
  ["components/platform/cert-manager/module", "", "components/platform/catalogue.ts lists a module whose file exports nothing: the first one"],
  ["site/stacks", "", expect.stringMatching(/^the files of this homelab have mistakes|^site\/stacks\.ts/)],
  ["site/site", "", expect.stringMatching(/^site\/apps\/[a-z]+\.ts: Cannot read properties of undefined \(reading 'domain'\)$/)],
  ["site/nodes", "throw 'later';", "a file of site/ throws 'later', which is no Error: nothing tells which file"],
])("%s with the text %p: the failure says what is wrong, and is no bug", (file, text, message) => {
  expect(failureWith(`bin/${file}.js`, text)).toMatchObject({ message, code: expect.stringMatching(/^E_(PROGRAM_FILE|SITE)$/) });
});

test.each(["site", "nodes", "stacks", "lab"])("a lab that is started with an emptied site/%s.ts says that", (name) => {
  // Applications read the domain while they are loaded.
  const apps =
    name === "site"
      ? changed(
          "bin/site/stacks.js",
          () => "exports.stacks = {};",
          () => emptied(name),
        )
      : emptied(name);
  expect(apps).toMatchObject({ code: "E_LAB_SITE", message: `site/${name}.ts exports nothing that the lab can read` });
});

function emptied(name: string): unknown {
  const entry = path.join(copy, "bin/stacks/lab-site.js");
  return changed(
    `bin/site/${name}.js`,
    () => "",
    () => JSON.parse(spawnSync(process.execPath, [entry], { env, encoding: "utf8" }).stderr),
  );
}

test.each(STACK_NAMES)("what the program of %s reads of other stacks is what it is said to consume", async (name) => {
  const estate = loadHomelab();
  const plan = planEstate(estate).get(name);
  if (plan === undefined) throw new Error(`${name} has no plan`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-consumed-"));
  try {
    for (const need of plan.stack.needs) {
      const outputs = Object.keys(outputSchemas(stackOf(estate, need))).map((key): [string, unknown] => [key, unknownOutput(false)]);
      await writePlannedOutputs(folder, need, Object.fromEntries(outputs) as Parameters<typeof writePlannedOutputs>[2], []);
    }
    process.env["HOMELAB_PLANNED_OUTPUTS_DIR"] = folder;
    // The run does not end, since it waits for outputs that stay unknown. The program writes the file before that.
    void runStack(name, { preview: true });
    while (!fs.existsSync(plannedOutputsFile(folder, name))) await systemClock.sleep(20);
    const { usedUnknowns } = plannedOutputsSchema.parse(JSON.parse(fs.readFileSync(plannedOutputsFile(folder, name), "utf8")));
    expect(usedUnknowns).toEqual(
      consumedOf(plan)
        .map(({ from, output }) => `${from}.${output}`)
        .toSorted(),
    );
  } finally {
    delete process.env["HOMELAB_PLANNED_OUTPUTS_DIR"];
    fs.rmSync(folder, { recursive: true });
  }
});
