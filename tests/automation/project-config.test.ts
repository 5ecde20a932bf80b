/** What a project file asks of its stacks and of the engine: declared settings, values for all stacks, a version, a tsconfig. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const project = fs.readFileSync(path.join(site.workDir, "Pulumi.yaml"), "utf8");
const settings = (text: string): void => {
  const file = path.join(site.workDir, "Pulumi.dev.yaml");
  const [salt = ""] = /^encryptionsalt:.*$/m.exec(fs.readFileSync(file, "utf8")) ?? [];
  fs.writeFileSync(file, `${salt}\n${text}`);
};
const CONFIG = `config:
  size: { type: integer, default: 2 }
  name: { type: string }
  zones: { type: array, items: { type: string }, default: [a, b] }
  token: { type: string, secret: true }
  pulumi:tags: { value: { owner: me } }
`;

beforeAll(async () => {
  site.write("Pulumi.yaml", project + CONFIG);
  site.write(
    "index.js",
    'const { Config } = require("@pulumi/pulumi"); const c = new Config(); exports.got = [c.requireNumber("size"), c.get("name"), c.requireObject("zones"), new Config("pulumi").requireObject("tags")];',
  );
  await site.pulumi(["stack", "init", "dev"]);
});

test("what a stack must have and does not is named before anything is done; a destruction does not ask", async () => {
  const ran = await site.pulumi(["preview"]);
  expect([ran.code, ran.stderr]).toEqual([1, "error: validating stack config: Stack 'dev' is missing configuration values 'name' and 'token'\n"]);
  expect((await site.pulumi(["up", "--yes"])).stderr).toContain("is missing configuration values");
  expect((await site.pulumi(["destroy", "--yes"])).code).toBe(0);
  expect((await site.pulumi(["preview", "--skip-config-validation"])).code).toBe(0);
});

test("values of the project reach the program, tags among them, and `config` shows them", async () => {
  settings("config:\n  auto:name: web\n");
  await site.pulumi(["config", "set", "--secret", "token"], { input: "hidden-token" });
  const ran = await site.pulumi(["up", "--yes"]);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  expect(JSON.parse((await site.pulumi(["stack", "output", "got", "--json"])).stdout)).toEqual([2, "web", ["a", "b"], { owner: "me" }]);
  expect((await site.pulumi(["config", "get", "size"])).stdout).toBe("2\n");
  expect((await site.pulumi(["config"])).stdout).toBe(
    'KEY          VALUE\nname         web\nsize         2\ntoken        [secret]\nzones        ["a","b"]\npulumi:tags  {"owner":"me"}\n',
  );
  // As in the CLI: only Pulumi Cloud turns them into tags of the stack.
  expect((await site.pulumi(["stack", "tag", "ls", "--json"])).stdout).toBe("{}\n");
});

test.each([
  ["auto:size: big", "with configuration key 'size' must be of type 'integer'"],
  ["auto:zones: [1]", "with configuration key 'zones' must be of type 'array<string>'"],
  ["auto:token: plain", "with configuration key 'token' must be encrypted as it's secret"],
])("a stack's `%s` is refused", async (line, message) => {
  const file = path.join(site.workDir, "Pulumi.dev.yaml");
  const before = fs.readFileSync(file, "utf8");
  const [key = ""] = line.split(": ");
  const rest = before.replace(new RegExp(`  ${key}:.*\\n(    .*\\n)?`), "");
  fs.writeFileSync(file, rest.replace("config:\n", `config:\n  ${line}\n`));
  const ran = await site.pulumi(["preview"]);
  fs.writeFileSync(file, before);
  expect([ran.code, ran.stderr]).toEqual([1, `error: validating stack config: Stack 'dev' ${message}\n`]);
});

test("a version of the CLI that the project asks for is compared with that of this engine", async () => {
  site.write("Pulumi.yaml", `${project + CONFIG}requiredPulumiVersion: ">=99.0.0"\n`);
  const refused = await site.pulumi(["preview"]);
  expect([refused.code, refused.stderr]).toEqual([1, 'error: Pulumi CLI version 3.260.0 does not satisfy the version range ">=99.0.0"\n']);
  site.write("Pulumi.yaml", `${project + CONFIG}requiredPulumiVersion: ">=3.0.0 !3.1.2"\n`);
  expect((await site.pulumi(["preview"])).code).toBe(0);
});

test("a program asks for a version itself; a misspelt key of the project is reported", async () => {
  site.write("Pulumi.yaml", `${project + CONFIG}descripton: x\n`);
  const program = (range: string) => `const p = require("@pulumi/pulumi"); module.exports = p.requirePulumiVersion("${range}").then(() => ({}));`;
  site.write("index.js", program(">=3.0.0"));
  const ran = await site.pulumi(["preview"]);
  expect([ran.code, ran.stderr]).toEqual([
    0,
    `warning: ${path.join(site.workDir, "Pulumi.yaml")}: unknown key 'descripton' is ignored; did you mean 'description'?\n`,
  ]);
  site.write("index.js", program("<3.0.0"));
  const refused = await site.pulumi(["preview"]);
  expect([refused.code, refused.stdout + refused.stderr]).toEqual([
    1,
    expect.stringContaining('Pulumi CLI version 3.260.0 does not satisfy the version range "<3.0.0"'),
  ]);
});
