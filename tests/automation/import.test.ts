/** `pulumi import`: one resource, a file of them, and what it says of the program. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

// Each test runs several commands; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const pulumi = (...args: string[]) => site.pulumi(args);

const TYPE = "world:index:Thing";
const exists = (id: string, properties: object): void => fs.writeFileSync(path.join(site.world, id), JSON.stringify(properties));
const resources = (): { urn: string; id?: string; protect?: boolean; inputs?: object; parent?: string }[] =>
  JSON.parse(fs.readFileSync(path.join(site.dir, "state/.pulumi/stacks/auto/dev.json"), "utf8")).checkpoint.latest.resources;
const things = () => resources().filter(({ urn }) => urn.includes("::world:index:Thing::") || urn.includes("$world:index:Thing::"));

test("a resource of a running stack: read, protected, the rest untouched, and the code that the program needs", async () => {
  await pulumi("stack", "init", "dev");
  await pulumi("up", "--yes");
  exists("a-1", { name: "one", tags: { "x-y": [1, true] }, size: 3 });
  const { code, stdout } = await pulumi("import", TYPE, "one", "a-1", "--yes");
  expect([code, stdout]).toEqual([0, expect.stringContaining(" =  world:index:Thing one imported")]);
  expect(stdout).toContain("Please copy the following code into your Pulumi application.");
  expect(stdout).toContain(
    'import * as world from "@pulumi/world";\n\nconst one = new world.Thing("one", {\n    name: "one",\n    size: 3,\n    tags: {\n        "x-y": [\n            1,\n            true,\n        ],\n    },\n}, {\n    protect: true,\n});\n',
  );
  expect(things().map(({ urn, id, protect }) => [urn.split("::").at(-1), id, protect])).toEqual([
    ["one", "a-1", true],
    ["thing-0", expect.any(String), undefined],
  ]);
  expect((await pulumi("stack", "output", "names")).stdout).toBe('["thing-0"]\n');
  expect(JSON.parse((await pulumi("stack", "history", "--json")).stdout)[0]).toMatchObject({ kind: "resource-import", result: "succeeded" });
});

test("a file: a component, a child of it by name, one under a resource of the state; the program that says the same changes nothing", async () => {
  exists("b-1", { name: "two" });
  exists("b-2", { name: "three" });
  const file = path.join(site.dir, "import.json");
  const parent = resources().find(({ urn }) => urn.endsWith("::thing-0"))?.urn;
  fs.writeFileSync(
    file,
    JSON.stringify({
      nameTable: { above: parent },
      resources: [
        { type: "my:index:Group", name: "group", component: true },
        { type: TYPE, name: "two", id: "b-1", parent: "group" },
        { type: TYPE, name: "three", id: "b-2", parent: "above" },
      ],
    }),
  );
  const out = path.join(site.dir, "code.ts");
  expect((await pulumi("import", "--file", file, "--protect=false", "--yes", "--out", out)).code).toBe(0);
  expect(fs.readFileSync(out, "utf8")).toBe(`import * as pulumi from "@pulumi/pulumi";
import * as world from "@pulumi/world";

// thing0: the program's own variable of ${parent}

const group = new pulumi.ComponentResource("my:index:Group", "group", {});
const two = new world.Thing("two", {
    name: "two",
}, {
    parent: group,
});
const three = new world.Thing("three", {
    name: "three",
}, {
    parent: thing0,
});
`);
  const below = (name: string) => things().find(({ urn }) => urn.endsWith(`::${name}`));
  expect([below("two")?.parent?.split("::").at(-1), below("three")?.parent]).toEqual(["group", parent]);
  fs.appendFileSync(
    path.join(site.workDir, "index.js"),
    `
const one = new pulumi.CustomResource("${TYPE}", "one", { name: "one", size: 3, tags: { "x-y": [1, true] } }, { protect: true });
const group = new pulumi.ComponentResource("my:index:Group", "group");
new pulumi.CustomResource("${TYPE}", "two", { name: "two" }, { parent: group });
new pulumi.CustomResource("${TYPE}", "three", { name: "three" }, { parent: things[0] });
`,
  );
  expect((await pulumi("preview", "--expect-no-changes", "--diff")).stdout).toContain("6 unchanged");
});

test.each([
  [[TYPE, "none", "nowhere", "--yes"], 1, "resource 'nowhere' does not exist"],
  [[TYPE, "one", "a-1", "--yes"], 1, "already exists"],
  [[TYPE, "x", "", "--yes"], 1, "an import needs a type as package:module:Type, a name and an ID"],
  [[TYPE, "", "a-1", "--yes"], 1, "an import needs a type as package:module:Type, a name and an ID"],
  [["Thing", "x", "a-1", "--yes"], 1, "an import needs a type as package:module:Type, a name and an ID"],
  [[TYPE, "one"], 2, "pulumi import <type> <name> <id>, or pulumi import --file <file>"],
  [[TYPE, "x", "a-1", "--parent", "urn:pulumi:dev::auto::my:index:Group::none", "--yes"], 1, "unknown parent"],
])("import %j is refused, and changes nothing", async (args, code, text) => {
  const before = resources().length;
  const ran = await pulumi("import", ...args);
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(text)]);
  expect(resources()).toHaveLength(before);
});

test("a preview's creations are a file that lacks only the IDs; with them it is imported, its providers made with their settings", async () => {
  const file = path.join(site.dir, "preview.json");
  const program = fs.readFileSync(path.join(site.workDir, "index.js"), "utf8");
  site.write(
    "index.js",
    `${program}
const provider = new pulumi.ProviderResource("world", "other", { region: "here", token: pulumi.secret("hush-hush") });
const nest = new pulumi.ComponentResource("my:index:Group", "nest");
new pulumi.CustomResource("${TYPE}", "nest", { name: "nest" }, { provider, parent: nest });
new pulumi.CustomResource("${TYPE}", "below", { name: "below" }, { parent: things[0] });
`,
  );
  const previewed = await pulumi("preview", "--import-file", file);
  expect([previewed.code, previewed.stderr]).toEqual([0, ""]);
  const text = fs.readFileSync(file, "utf8");
  expect(text).not.toContain("hush-hush");
  const written = JSON.parse(text);
  written.resources.sort((a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1));
  const group = { type: "my:index:Group", component: true };
  expect(written).toEqual({
    nameTable: { "thing-0": expect.stringMatching(/::thing-0$/) },
    resources: expect.arrayContaining([
      { type: TYPE, name: "below", id: "<PLACEHOLDER>", parent: "thing-0" },
      expect.objectContaining(group),
      expect.objectContaining({ type: TYPE, id: "<PLACEHOLDER>", provider: "other", parent: expect.stringMatching(/^nest/) }),
      {
        type: "pulumi:providers:world",
        name: "other",
        inputs: { region: "here", token: expect.objectContaining({ ciphertext: expect.stringMatching(/^v1:/) }) },
      },
    ]),
  });

  expect(await pulumi("import", "--file", file, "--yes")).toMatchObject({ code: 1, stderr: expect.stringContaining("needs its ID in place of <PLACEHOLDER>") });
  exists("n-1", { name: "nest" });
  exists("n-2", { name: "below" });
  const filled = text.replace(/"name": "below",\s*"id": "<PLACEHOLDER>"/, '"name": "below", "id": "n-2"').replace("<PLACEHOLDER>", "n-1");
  fs.writeFileSync(file, filled);
  for (const how of ["--preview-only", "--yes"])
    expect(await pulumi("import", "--file", file, how, "--protect=false", "--generate-code=false")).toMatchObject({ code: 0 });
  expect((await pulumi("preview", "--expect-no-changes")).stdout).toContain("unchanged");
});

test("an import file that cannot be written is an error with its file, and `inputs` are taken of providers only", async () => {
  const file = path.join(site.dir, "inputs.json");
  expect(await pulumi("preview", "--import-file", path.join(site.dir, "no/file.json"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no/file.json cannot be written"),
  });
  fs.writeFileSync(file, JSON.stringify({ resources: [{ type: TYPE, name: "x", id: "y", inputs: { a: 1 } }] }));
  expect(await pulumi("import", "--file", file, "--yes")).toMatchObject({ code: 2, stderr: expect.stringContaining("`inputs` of an import file") });
});
