/** Programs that are native ES modules, also in TypeScript as Node itself runs it, and what `nodeargs` loads before them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const site = new AutomationSite();
afterAll(() => site.remove());

const plugins = /^plugins:[\s\S]*/m.exec(fs.readFileSync(path.join(site.workDir, "Pulumi.yaml"), "utf8"))?.[0] ?? "";
const project = (main: string, nodeargs = ""): void =>
  site.write(
    "Pulumi.yaml",
    `name: auto\nmain: ${main}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${nodeargs === "" ? "" : `    nodeargs: ${nodeargs}\n`}${plugins}`,
  );

/** Top-level await, `import.meta`, an import of its own; types where the file has them. */
const program = (lib: string, type = (_text: string): string => ""): string => `
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { size } from "${lib}";
const me${type("string")} = import.meta.url;
const text = await Promise.resolve(readFileSync(new URL("./package.json", me), "utf8"));
class Thing extends pulumi.CustomResource {}
new Thing("world:index:Thing", "thing", { name: "thing", size });
export const got${type("[number, string]")} = [size, JSON.parse(text).name];
export const before = globalThis.before ?? "nothing";
`;
const typed = (text: string): string => `: ${text}`;

async function outputs(): Promise<unknown> {
  const ran = await site.pulumi(["up", "--yes"]);
  if (ran.code !== 0) return ran.stdout + ran.stderr;
  return JSON.parse((await site.pulumi(["stack", "output", "--json"])).stdout);
}

beforeAll(async () => {
  fs.rmSync(path.join(site.workDir, "index.js"));
  site.write("package.json", '{"name":"auto","private":true,"type":"module"}');
  site.write("lib.js", "export const size = 3;\n");
  await site.pulumi(["stack", "init", "dev"]);
});

test("an entry point of a project of modules", async () => {
  project(".");
  site.write("index.js", program("./lib.js"));
  expect(await outputs()).toEqual({ got: [3, "auto"], before: "nothing" });
});

test("an .mjs file by its name, after what quoted nodeargs import, in a folder with a blank", async () => {
  fs.mkdirSync(path.join(site.workDir, "with space"));
  site.write("with space/before.mjs", "globalThis.before = process.title;\n");
  site.write("index.mjs", program("./lib.js"));
  project("index.mjs", `--import "./with space/before.mjs" --title='a b'`);
  expect(await outputs()).toEqual({ got: [3, "auto"], before: "a b" });
});

test.each([
  ["index.ts", "lib-ts.ts"],
  ["index.mts", "lib.mts"],
])("%s, as Node runs it itself", async (main, lib) => {
  site.write(lib, "export const size: number = 3;\n");
  site.write(main, program(`./${lib}`, typed).replace("globalThis.before", "(globalThis as { before?: string }).before"));
  project(main);
  // Node 20 knows no TypeScript; newer ones say that they do.
  const native = Boolean(Reflect.get(process.features, "typescript"));
  expect(await outputs()).toEqual(native ? { got: [3, "auto"], before: "nothing" } : expect.stringContaining("ERR_UNKNOWN_FILE_EXTENSION"));
});
