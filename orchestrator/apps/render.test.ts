import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bring, differenceOf } from "./render";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-render-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const HEAD = "# Written by `homelab render dev`; its source is in site/apps.\n";
const put = (name: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
};
const names = (): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
    .toSorted();

test("what was rendered before and is no more goes, with its folder; files of others in the folder stay", () => {
  put("Pulumi.dev.yaml", "config: {}\n");
  put("secrets/common/a.yaml", "sops: {}\n");
  put("old/manifests.yaml", `${HEAD}kind: Service\n`);
  const files = { "writer/manifests.yaml": `${HEAD}kind: Pod\n` };
  const difference = differenceOf(folder, files);
  expect(difference).toEqual({ missing: ["writer/manifests.yaml"], changed: [], extra: ["old/manifests.yaml"], foreign: [] });
  bring(folder, files, difference);
  expect(names()).toEqual(["Pulumi.dev.yaml", "secrets/common/a.yaml", "writer/manifests.yaml"]);
});

test("a file of somebody else is not written over, and nothing is written then", () => {
  put("kustomization.yaml", "resources: [mine]\n");
  const files = { "kustomization.yaml": `${HEAD}resources: []\n`, "writer/manifests.yaml": HEAD };
  expect(() => bring(folder, files, differenceOf(folder, files))).toThrow("kustomization.yaml was not written by homelab render, and would be written over");
  expect([names(), fs.readFileSync(path.join(folder, "kustomization.yaml"), "utf8")]).toEqual([["kustomization.yaml"], "resources: [mine]\n"]);
});

test("a rendered file that differs is written anew", () => {
  put("kustomization.yaml", `${HEAD}resources: [old]\n`);
  const files = { "kustomization.yaml": `${HEAD}resources: []\n` };
  bring(folder, files, differenceOf(folder, files));
  expect(differenceOf(folder, files)).toEqual({ missing: [], changed: [], extra: [], foreign: [] });
});
