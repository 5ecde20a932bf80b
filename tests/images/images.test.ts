/**
 * images/images.yaml, the Dockerfiles beside it, the applications and docs/images.md agree about bases, users, ports, health checks and
 * the labels of each image.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { baseArgument, imageTable, loadImageList } from "../../orchestrator/images/image-list";
import { planEstate } from "../../stacks/plan/plan";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";

const ROOT = path.join(__dirname, "..", "..");
const FOLDER = path.join(ROOT, "images");
const list = loadImageList(ROOT);
const { bases, images } = list;
const text = (...names: string[]): string => fs.readFileSync(path.join(FOLDER, ...names), "utf8");
const dockerfile = (name: string): string => text(name, "Dockerfile");

test("each folder is an image of the list, and each base is one that an image has", () => {
  const folders = fs.readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(folders.toSorted()).toEqual(Object.keys(images).toSorted());
  expect(Object.keys(bases).toSorted()).toEqual([...new Set(Object.values(images).flatMap((image) => image.bases))].toSorted());
});

test.each(Object.entries(images))("%s: bases come from outside, the last user is not root, and it is labelled", (name, { bases: own, user, port }) => {
  const lines = dockerfile(name).split("\n");
  // `scratch` is the empty image, which has no digest to pin.
  const froms = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []).filter((from) => from !== "scratch");
  expect([...new Set(froms)].toSorted()).toEqual(own.map((base) => `\${${baseArgument(base)}}`).toSorted());
  expect(lines.filter((line) => own.some((base) => line === `ARG ${baseArgument(base)}`)).length).toBe(own.length);
  expect(lines.findLast((line) => line.startsWith("USER "))).toMatch(new RegExp(`^USER ${user}(:\\d+)?$`));
  const exposed = lines.flatMap((line) => /^EXPOSE (.*)/.exec(line)?.[1]?.split(" ") ?? []);
  expect(exposed[0]).toBe(port === undefined ? undefined : String(port));
  for (const label of ["title", "source", "revision", "version", "licenses"]) expect(dockerfile(name)).toContain(`org.opencontainers.image.${label}=`);
  expect(dockerfile(name)).not.toMatch(/:latest|curl[^\n]*\|\s*(ba)?sh/);
});

test.each(Object.entries(images))("%s: each argument that the list gives is one that the Dockerfile takes", (name, { builds, arguments: given, tools }) => {
  const taken = dockerfile(name)
    .split("\n")
    .flatMap((line) => /^ARG ([A-Z_]+)/.exec(line)?.[1] ?? []);
  const all = [...Object.values(builds), ...Object.values(given)].flatMap((one) => Object.keys(one));
  expect([...all, ...(tools ? ["TOOLS"] : [])].filter((argument) => !taken.includes(argument))).toEqual([]);
});

useHomelabSecrets();
const apps = planEstate(loadHomelab()).get("dev")?.apps ?? [];
const app = (name: string) => {
  const found = apps.find((one) => one.name === name);
  if (found === undefined) throw new Error(`dev has no application ${name}`);
  return found;
};
const made = Object.entries(images).flatMap(([image, { serves, ...rest }]) => serves.map((name) => ({ image, name, ...rest })));

test("each application is made by one image of the list", () => {
  expect(made.map(({ name }) => name).toSorted()).toEqual(apps.map(({ name }) => name).toSorted());
});

test.each(made)("$name runs as the user, and listens on the ports, of $image", ({ image, name, user, port }) => {
  const { runAsUser, ports } = app(name).spec;
  expect([runAsUser, ports[0].port]).toEqual([user, port]);
  const exposed = /^EXPOSE (.*)$/m.exec(dockerfile(image))?.[1]?.split(" ").map(Number);
  expect(ports.map((one) => one.port)).toEqual(exposed);
});

test.each(made.filter(({ image }) => image === "go-service"))("the health check of $name asks a path that it serves", ({ name, image, arguments: given }) => {
  const { live, ready } = app(name).spec.probes;
  const usual = /^ARG HEALTH=(\S+)$/m.exec(dockerfile(image))?.[1];
  expect(given[name]?.["HEALTH"] ?? usual).toBe(live === "port" ? ready : live);
});

test("docs/images.md has the table that homelab images list prints", () => {
  expect(fs.readFileSync(path.join(ROOT, "docs", "images.md"), "utf8")).toContain(`\n${imageTable(list)}\n`);
});
