import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { MODULES, type PlatformOptions } from "./catalogue";

test("each module is a folder of its name, and each folder with a module stands in the catalogue once", () => {
  const folders = fs
    .readdirSync(__dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && fs.existsSync(path.join(__dirname, entry.name, "module.ts")));
  expect(MODULES.map(({ name }) => name).toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
});

test("the catalogue loads no Pulumi SDK", () => {
  const script = path.join(__dirname, "../../bin/components/platform/catalogue.js");
  const code = `const { MODULES } = require(${JSON.stringify(script)}); const sdk = Object.keys(require.cache).filter((f) => f.includes("node_modules/@pulumi")); process.stdout.write(JSON.stringify([MODULES.length, ...sdk]));`;
  expect(JSON.parse(spawnSync(process.execPath, ["-e", code], { encoding: "utf8" }).stdout)).toEqual([MODULES.length]);
});

test.each(MODULES.map((module) => [module.name, module] as const))("%s: every chart and image is an exact version with a reason", (_, { charts, images }) => {
  for (const { repository, version, why } of Object.values(charts)) {
    expect(repository).toMatch(/^(https|oci):\/\//);
    expect(version).toMatch(/^v?\d+\.\d+\.\d+$/);
    expect(why).not.toBe("");
  }
  for (const { image, why } of images) {
    expect(image).toMatch(/[:@](?!latest$)[^/]+$/);
    expect(why).not.toBe("");
  }
});

test.each(MODULES.map((module) => [module.name, module] as const))(
  "%s: its defaults satisfy its own schema, and an option that it does not know is refused",
  (_, { options, example }) => {
    const defaults = options.parse(example);
    expect(options.parse(defaults)).toEqual(defaults);
    expect(options.safeParse({ ...example, colour: "blue" }).error?.issues.map(({ code }) => code)).toEqual(["unrecognized_keys"]);
  },
);

test("the compiler knows modules and their options", () => {
  const row: PlatformOptions = { "cert-manager": {}, minio: { size: "20Gi" } };
  expect(Object.keys(row)).toEqual(["cert-manager", "minio"]);
  // @ts-expect-error there is no such module
  const unknownModule: PlatformOptions = { "cert-manger": {} };
  // @ts-expect-error there is no such option
  const unknownOption: PlatformOptions = { minio: { sise: "20Gi" } };
  // @ts-expect-error the option is a text
  const wrongType: PlatformOptions = { minio: { size: 20 } };
  expect([unknownModule, unknownOption, wrongType].map((given) => Object.keys(given))).toEqual([["cert-manger"], ["minio"], ["minio"]]);
});
