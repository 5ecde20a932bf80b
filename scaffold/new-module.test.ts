import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { newApp } from "./new-app";
import { newModule } from "./new-module";

const ROOT = path.join(__dirname, "..");
const FILES = ["components/platform/catalogue.ts", "site/stacks.ts"];
const MATRIX = `import { defineStacks } from "../stacks/define/stacks";

const cluster = { "cert-manager": {} } as const;

export const stacks = defineStacks({
  tools: {
    description: "what all others use",
    needs: [],
    vms: { "k8s-tools": "cluster" },
    proxmox: true,
    platform: { ...cluster, vault: {} },
  },
  dev: {
    description: "applications",
    needs: ["tools"],
    vms: { "k8s-dev": "cluster" },
    platform: cluster,
  },
});
`;

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "new-module-"));
  for (const folder of ["components/platform/cert-manager", "site/apps"]) fs.mkdirSync(path.join(root, folder), { recursive: true });
  fs.copyFileSync(path.join(ROOT, FILES[0] ?? ""), path.join(root, FILES[0] ?? ""));
  fs.writeFileSync(path.join(root, "site/stacks.ts"), MATRIX);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const read = (name: string): string => fs.readFileSync(path.join(root, name), "utf8");
const REGISTRY = { name: "image-registry", chart: "https://charts.example.org/stable/registry", version: "v2.3.4", stack: "dev" };

test("a module is a folder with its test, a stand-in for the lab, and lines in the catalogue and the matrix", () => {
  const before = read("components/platform/catalogue.ts");
  expect(newModule(root, REGISTRY)).toEqual([
    ...["components/platform/catalogue.ts", "site/stacks.ts"],
    ...["module.ts", "values.ts", "image-registry.ts", "image-registry.test.ts"].map((file) => `components/platform/image-registry/${file}`),
    ...["Chart.yaml", "values.yaml", "templates/deployment.yaml"].map((file) => `lab/artefacts/data/charts/charts.example.org/stable/registry/v2.3.4/${file}`),
  ]);
  const added = read("components/platform/catalogue.ts")
    .split("\n")
    .filter((line) => !before.split("\n").includes(line));
  expect(added).toEqual([
    'import { imageRegistry } from "./image-registry/module";',
    expect.stringMatching(/^(export const MODULES = \[.*, imageRegistry\] as const;| {2}imageRegistry,)$/),
  ]);
  expect(read("site/stacks.ts")).toBe(MATRIX.replace("platform: cluster,", 'platform: { ...cluster, "image-registry": {} },'));
  expect(read("components/platform/image-registry/values.ts")).toContain('repository: "https://charts.example.org/stable"');
});

test("a stack that has modules of its own gets one more; without a stack the matrix stays", () => {
  newModule(root, { ...REGISTRY, stack: "tools" });
  expect(read("site/stacks.ts")).toBe(MATRIX.replace("{ ...cluster, vault: {} }", '{ ...cluster, vault: {}, "image-registry": {} }'));
  const matrix = read("site/stacks.ts");
  newModule(root, { name: "other", chart: "oci://registry.example.org/charts/other", version: "1.0.0", stack: undefined });
  expect([read("site/stacks.ts"), read("components/platform/other/values.ts")]).toEqual([
    matrix,
    expect.stringContaining('repository: "oci://registry.example.org/charts"'),
  ]);
});

test.each([
  [{ name: "Registry" }, '"Registry" is no name for a module'],
  [{ name: "cert-manager" }, 'there is a module "cert-manager" already'],
  [{ chart: "registry" }, '"registry" is no address of a chart'],
  [{ version: "latest" }, '"latest" is no exact version'],
  [{ stack: "dew" }, 'site/stacks.ts has no stack "dew"'],
])("%j is refused, and nothing is written", (given, said) => {
  const before = FILES.map(read);
  expect(() => newModule(root, { ...REGISTRY, ...given })).toThrow(said);
  expect([FILES.map(read), fs.readdirSync(path.join(root, "components/platform")).toSorted()]).toEqual([before, ["catalogue.ts", "cert-manager"]]);
});

const APP = { name: "my-app", image: "docker.io/traefik/whoami:v1.10.3", port: 8080, host: "dev.my-app", stack: "dev" };

test("an application is a file of the site and its place in the matrix; a second one stands beside it", () => {
  expect(newApp(root, APP)).toEqual(["site/stacks.ts", "site/apps/my-app.ts", "site/apps/my-app.test.ts"]);
  expect(read("site/apps/my-app.test.ts")).toContain("const host = `dev.my-app.$");
  expect(read("site/apps/my-app.ts")).toContain('ports: [{ name: "http", port: 8080, host: "dev.my-app", url: "my-app" }],');
  const withOne = MATRIX.replace(
    'import { defineStacks } from "../stacks/define/stacks";\n',
    (line) => `${line}import { myApp } from "./apps/my-app";\n`,
  ).replace("    platform: cluster,\n", '    platform: cluster,\n    apps: { "my-app": myApp },\n');
  expect(read("site/stacks.ts")).toBe(withOne);
  newApp(root, { ...APP, name: "second", host: undefined });
  expect(read("site/stacks.ts")).toContain('apps: { "my-app": myApp, second },');
  expect(() => newApp(root, APP)).toThrow('the stack "dev" has an application "my-app" already');
});

test.each([
  [{ name: "My" }, '"My" is no name for an application'],
  [{ image: "whoami:latest" }, '"whoami:latest" is no exact image'],
  [{ image: "docker.io/traefik/whoami:latest" }, "is no exact image"],
  [{ port: 0 }, "0 is no port"],
  [{ host: "a b" }, '"a b" is no host name'],
  [{ stack: "dew" }, 'site/stacks.ts has no stack "dew"'],
])("an application with %j is refused, and nothing is written", (given, said) => {
  expect(() => newApp(root, { ...APP, ...given })).toThrow(said);
  expect([read("site/stacks.ts"), fs.readdirSync(path.join(root, "site/apps"))]).toEqual([MATRIX, []]);
});
