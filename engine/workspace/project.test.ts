import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadProject, type Project, requireNode } from "./project";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "project-"));
afterAll(() => fs.rmSync(dir, { recursive: true }));

let folders = 0;
function load(text: string, name = "Pulumi.yaml"): Project {
  const folder = path.join(dir, String(folders++));
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, name), text);
  return loadProject(folder);
}

const shown = ({ name, runtime, runtimeOptions, entryPoint, backendUrl, declarations, refreshAlways, requiredVersion, misspelt }: Project): object =>
  Object.fromEntries(
    Object.entries({ name, runtime, runtimeOptions, entryPoint, backendUrl, declarations, refreshAlways, requiredVersion, misspelt }).filter(
      ([, value]) => value !== undefined && value !== "" && value !== false && value !== "." && !(typeof value === "object" && Object.keys(value).length === 0),
    ),
  );

const NODE = { name: "a", runtime: "nodejs" };
const declared = (declarations: object[]) => ({ ...NODE, declarations: declarations.map((one) => ({ secret: false, ...one })) });
const CONFIG = "name: a\nruntime: nodejs\nconfig:\n";

/** Shapes that public projects have. */
const READ: [string, string, object][] = [
  ["the shortest", "name: a\nruntime: nodejs\n", NODE],
  ["flow style", '{"name": "a", "runtime": "nodejs"}', NODE],
  ["what begins with a byte order mark", "\uFEFFname: a\nruntime: nodejs\n", NODE],
  ["CRLF", "name: a\r\nruntime: nodejs\r\ndescription: x\r\n", NODE],
  ["all that describes it", "name: a\nruntime: nodejs\ndescription: >-\n  of two\n  lines\nauthor: me\nwebsite: https://x\nlicense: MIT\n", NODE],
  ["nulls in the place of texts", "name: a\nruntime: nodejs\ndescription:\nmain: null\nbackend: ~\noptions:\ntemplate:\nconfig:\nstackConfigDir:\n", NODE],
  ["no runtime", "name: a\n", { name: "a" }],
  [
    "a runtime with options",
    "name: a\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    nodeargs: --max-old-space-size=8192\n",
    { ...NODE, runtimeOptions: { typescript: false, nodeargs: "--max-old-space-size=8192" } },
  ],
  [
    "a package manager, a tsconfig, production",
    "name: a\nruntime:\n  name: nodejs\n  options: { packagemanager: pnpm, tsconfig: tsconfig.pulumi.json, production: true }\n",
    { ...NODE, runtimeOptions: { packagemanager: "pnpm", tsconfig: "tsconfig.pulumi.json", production: true } },
  ],
  [
    "options of another language",
    "name: a\nruntime:\n  name: python\n  options:\n    toolchain: uv\n    virtualenv: venv\n    typechecker: 3\n",
    { name: "a", runtime: "python", runtimeOptions: { toolchain: "uv", virtualenv: "venv", typechecker: "3" } },
  ],
  [
    "a program in YAML",
    "name: a\nruntime: yaml\nvariables:\n  x: 1\nresources:\n  r:\n    type: aws:s3:Bucket\noutputs:\n  o: r\n",
    { name: "a", runtime: "yaml" },
  ],
  [
    "a template",
    "name: PROJECT_NAME\nruntime: nodejs\ntemplate:\n  displayName: T\n  description: D\n  important: true\n  quickstart: Q\n  metadata: { cloud: aws }\n  config:\n    aws:region:\n      description: The region\n      default: us-west-2\n      secret: false\n",
    { name: "PROJECT_NAME", runtime: "nodejs" },
  ],
  ["a folder for settings, by its old key", "name: a\nruntime: nodejs\nconfig: settings\n", NODE],
  ["a backend", "name: a\nruntime: nodejs\nbackend:\n  url: s3://bucket?region=eu-central-1\n", { ...NODE, backendUrl: "s3://bucket?region=eu-central-1" }],
  ["a refresh before everything", "name: a\nruntime: nodejs\noptions:\n  refresh: always\n", { ...NODE, refreshAlways: true }],
  [
    "packages, short and long",
    "name: a\nruntime: nodejs\npackages:\n  random: random@4.1.0\n  tf:\n    source: terraform-provider\n    version: 0.10.0\n    parameters: [hashicorp/random, 3.5.1]\n  local: ../sdk\n",
    NODE,
  ],
  ["a version of the CLI", 'name: a\nruntime: nodejs\nrequiredPulumiVersion: ">=3.5.0 !3.7.7"\n', { ...NODE, requiredVersion: ">=3.5.0 !3.7.7" }],
  [
    "values for all stacks",
    `${CONFIG}  size: 3\n  name: web\n  on: true\n  zones: [a, b]\n  aws:region: eu-central-1\n`,
    declared([
      { key: "size", given: 3 },
      { key: "name", given: "web" },
      { key: "on", given: true },
      { key: "zones", given: ["a", "b"] },
      { key: "aws:region", given: "eu-central-1" },
    ]),
  ],
  ["a long integer, with its digits", `${CONFIG}  id: 12345678901234567890\n`, declared([{ key: "id", given: 12345678901234567890n }])],
  [
    "tags",
    `${CONFIG}  pulumi:tags:\n    value:\n      pulumi:template: aws-typescript\n`,
    declared([{ key: "pulumi:tags", given: { "pulumi:template": "aws-typescript" } }]),
  ],
  [
    "types",
    `${CONFIG}  size:\n    type: integer\n    description: How many\n  token:\n    type: string\n    secret: true\n  free: {}\n`,
    declared([{ key: "size", type: "integer" }, { key: "token", type: "string", secret: true }, { key: "free" }]),
  ],
  [
    "defaults of types",
    `${CONFIG}  size: { type: integer, default: 3 }\n  on: { type: boolean, default: "true" }\n  all: { type: object, default: { x: 1 } }\n`,
    declared([
      { key: "size", type: "integer", given: 3 },
      { key: "on", type: "boolean", given: "true" },
      { key: "all", type: "object", given: { x: 1 } },
    ]),
  ],
  [
    "lists of lists",
    `${CONFIG}  rows:\n    type: array\n    items: { type: array, items: { type: integer } }\n    default: [[1], [2, 3]]\n`,
    declared([{ key: "rows", type: "array", items: { type: "array", items: { type: "integer" } }, given: [[1], [2, 3]] }]),
  ],
  ["its own namespace, written out", `${CONFIG}  a:size:\n    type: integer\n    default: 1\n`, declared([{ key: "a:size", type: "integer", given: 1 }])],
  ["an anchor", "name: a\nruntime: &r\n  name: nodejs\nx-other: *r\n", NODE],
  ["keys of other tools", "name: a\nruntime: nodejs\nenvironment: prod\nx-team: me\n", NODE],
  [
    "a key that looks misspelt",
    "name: a\nruntime: nodejs\nBackend:\n  url: x\ndescripton: y\n",
    {
      ...NODE,
      misspelt: [
        ["Backend", "backend"],
        ["descripton", "description"],
      ],
    },
  ],
];

test.each(READ)("%s is read", (_what, text, expected) => {
  expect(shown(load(text))).toEqual(expected);
});

test("plugins are found from the project file, languages and analyzers stay what they are", () => {
  const project = load(
    "name: a\nruntime: nodejs\nplugins:\n  providers:\n    - name: x\n      path: ../bin\n    - { name: x, path: /abs, version: 1.2.3 }\n  languages:\n    - { name: yaml, path: l }\n  analyzers:\n    - { name: p, path: p }\n",
  );
  expect([project.providerPaths, project.languagePlugins]).toEqual([
    [
      { name: "x", version: undefined, folder: path.resolve(project.root, "../bin") },
      { name: "x", version: "1.2.3", folder: "/abs" },
    ],
    ["yaml"],
  ]);
});

test.each([
  ["stackConfigDir: stacks", "stacks"],
  ["config: stacks", "stacks"],
  ["description: x", "."],
])("with `%s` the stacks' settings lie in %s", (line, folder) => {
  const project = load(`name: a\nruntime: nodejs\n${line}\n`);
  expect(project.configDir).toBe(path.resolve(project.root, folder));
});

const REFUSED: [string, string, string | RegExp][] = [
  ["no name", "runtime: nodejs\n", "non-empty string 'name'"],
  ["an empty name", 'name: ""\nruntime: nodejs\n', "non-empty string 'name'"],
  ["a list", "- name: a\n", /expected object/],
  ["an empty file", "", /expected object/],
  ["no YAML", "name: [a\n", "is not valid YAML"],
  ["an unknown key of the runtime", "name: a\nruntime: { name: nodejs, opts: {} }\n", "runtime"],
  ["an unknown key of the backend", "name: a\nruntime: nodejs\nbackend: { uri: x }\n", '"uri"'],
  ["an unknown option", "name: a\nruntime: nodejs\noptions: { refresh: never }\n", "options.refresh"],
  ["an unknown key of the template", "name: a\nruntime: nodejs\ntemplate: { title: x }\n", '"title"'],
  ["a plugin without a path", "name: a\nruntime: nodejs\nplugins: { providers: [{ name: x }] }\n", "plugins.providers[0].path"],
  ["nodeargs in a list", "name: a\nruntime: { name: nodejs, options: { nodeargs: [--a] } }\n", "nodeargs option must be a string"],
  ["a text for typescript", 'name: a\nruntime: { name: nodejs, options: { typescript: "no" } }\n', "typescript option must be a boolean"],
  ["an unknown package manager", "name: a\nruntime: { name: nodejs, options: { packagemanager: deno } }\n", "packagemanager option must be one of"],
  ["two folders for settings", "name: a\nruntime: nodejs\nconfig: x\nstackConfigDir: y\n", "use only stackConfigDir"],
  ["a setting that is nothing", `${CONFIG}  size:\n`, "config 'size': a text, a whole number"],
  ["a setting that is no whole number", `${CONFIG}  size: 1.5\n`, "config 'size': a text, a whole number"],
  ["an unknown type", `${CONFIG}  size: { type: number }\n`, "config 'size'"],
  ["an unknown key of a setting", `${CONFIG}  size: { type: integer, required: true }\n`, '"required"'],
  [
    "a list of nobody knows what",
    `${CONFIG}  zones: { type: array }\n`,
    "declares an array but does not specify the underlying type via the 'items' attribute",
  ],
  ["a list of lists of nobody knows what", `${CONFIG}  zones: { type: array, items: { type: array } }\n`, "needs `items` too"],
  ["a default of another type", `${CONFIG}  size: { type: integer, default: big }\n`, "not of the expected type 'integer'"],
  ["a default list of other items", `${CONFIG}  z: { type: array, items: { type: integer }, default: [a] }\n`, "not of the expected type 'array<integer>'"],
  ["a default and a value", `${CONFIG}  size: { default: 1, value: 2 }\n`, "cannot have both a 'default' and 'value' attribute"],
  ["a type for another namespace", `${CONFIG}  aws:region: { type: string, value: x }\n`, "should not define a type"],
  ["a default for another namespace", `${CONFIG}  aws:region: { default: x }\n`, "Did you mean to use the 'value' attribute instead of 'default'?"],
  ["no value for another namespace", `${CONFIG}  aws:region: { description: x }\n`, "must provide an attribute 'value'"],
];

test.each(REFUSED)("%s is refused, with the file's name", (_what, text, message) => {
  expect(() => load(text)).toThrow(message);
  expect(() => load(text)).toThrow(/Pulumi\.yaml/);
});

test("a project in JSON is one too", () => {
  expect(shown(load('{"name": "a", "runtime": {"name": "nodejs"}}', "Pulumi.json"))).toEqual(NODE);
});

test.each([
  ["name: a\nruntime: go\n", "runtime go is not supported by the embedded engine"],
  ["name: a\n", "names no runtime"],
  ["name: a\nruntime: nodejs\nplugins: { languages: [{ name: nodejs, path: x }] }\n", "plugins.languages of Pulumi.yaml"],
])("%j is read, and its program is refused by name", (text, message) => {
  expect(() => requireNode(load(text))).toThrow(message);
});
