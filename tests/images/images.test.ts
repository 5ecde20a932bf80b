/** images/images.yaml and the Dockerfiles beside it say the same: bases, user, port, and the labels that every image has. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { planEstate } from "../../stacks/plan/plan";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";

const FOLDER = path.join(__dirname, "..", "..", "images");
const listSchema = z.strictObject({
  bases: z.record(z.string(), z.string().regex(/^[a-z0-9.-]+\/[a-z0-9._/-]+:(?!latest$)[\w.-]+$/)),
  images: z.record(
    z.string(),
    z.strictObject({ summary: z.string(), bases: z.array(z.string()).min(1), user: z.int().min(1), port: z.int().optional(), serves: z.array(z.string()) }),
  ),
});
const { bases, images } = listSchema.parse(parse(fs.readFileSync(path.join(FOLDER, "images.yaml"), "utf8")));
const dockerfile = (name: string): string => fs.readFileSync(path.join(FOLDER, name, "Dockerfile"), "utf8");
const argument = (base: string): string => base.toUpperCase().replaceAll("-", "_");

test("each folder is an image of the list, and each base is one that an image has", () => {
  const folders = fs.readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(folders.toSorted()).toEqual(Object.keys(images).toSorted());
  expect(Object.keys(bases).toSorted()).toEqual([...new Set(Object.values(images).flatMap((image) => image.bases))].toSorted());
});

test.each(Object.entries(images))("%s: bases come from outside, the last user is not root, and it is labelled", (name, { bases: own, user, port }) => {
  const lines = dockerfile(name).split("\n");
  const froms = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
  expect([...new Set(froms)].toSorted()).toEqual(own.map((base) => `\${${argument(base)}}`).toSorted());
  expect(lines.filter((line) => own.some((base) => line === `ARG ${argument(base)}`)).length).toBe(own.length);
  expect(lines.findLast((line) => line.startsWith("USER "))).toMatch(new RegExp(`^USER ${user}(:\\d+)?$`));
  expect(lines.filter((line) => line.startsWith("EXPOSE "))).toEqual(port === undefined ? [] : [`EXPOSE ${port}`]);
  for (const label of ["title", "source", "revision", "version", "licenses"]) expect(dockerfile(name)).toContain(`org.opencontainers.image.${label}=`);
  expect(dockerfile(name)).not.toMatch(/:latest|curl[^\n]*\|\s*(ba)?sh/);
});

test("an application runs as the user, and listens on the port, of the image that it is made by", () => {
  useHomelabSecrets();
  const apps = planEstate(loadHomelab()).get("dev")?.apps ?? [];
  const made = Object.values(images).flatMap(({ serves, user, port }) => serves.map((name) => [name, user, port] as const));
  expect(made.map(([name]) => name).toSorted()).toEqual(apps.map(({ name }) => name).toSorted());
  expect(made).toEqual(
    made.map(([name]) => [name, apps.find((app) => app.name === name)?.spec.runAsUser, apps.find((app) => app.name === name)?.spec.ports[0].port]),
  );
});
