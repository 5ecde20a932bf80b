/** The list of real parts: what stands first, what each entry pins, and that tests ask for each. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";

const root = path.join(__dirname, "../..");
const partSchema = z.object({
  name: z.string(),
  kind: z.enum(["debian", "npm", "python", "debian-root", "go"]),
  minutes: z.number().positive().optional(),
  module: z.string().optional(),
  version: z.string().optional(),
  sum: z.string().optional(),
  require: z.record(z.string(), z.string()).optional(),
  replace: z.object({ given: z.record(z.string(), z.string()).optional() }).optional(),
  requirement: z.string().optional(),
  packages: z.array(z.string()).optional(),
});
const { parts } = z.object({ parts: z.array(partSchema) }).parse(JSON.parse(fs.readFileSync(path.join(root, "build/real-parts.json"), "utf8")));
const goParts = parts.filter(({ kind }) => kind === "go");

/** What most tests compare with. A run with little time builds these. */
const OF_MOST_WORTH = ["kube-apiserver", "pulumi", "vault", "pulumi-kubernetes", "external-secrets", "external-dns", "argocd", "istiod", "istioctl"];

test("Go's programs stand in the order of worth; before the last of these only such stand as take a minute", () => {
  const names = goParts.map(({ name }) => name);
  expect(names.filter((name) => OF_MOST_WORTH.includes(name))).toEqual(OF_MOST_WORTH);
  const before = goParts.slice(0, names.indexOf("istioctl") + 1).filter(({ name }) => !OF_MOST_WORTH.includes(name));
  expect(before.filter(({ minutes = 0 }) => minutes > 1)).toEqual([]);
});

/** `v1.2.3`, or a commit of a day by Go's own rule. */
const EXACT = /^v\d+\.\d+\.\d+(-\d{14}-[0-9a-f]{12})?$/;

test.each(goParts)("$name is pinned to a version and a checksum, and says how long its build takes", ({ version, sum, minutes, require = {}, replace }) => {
  expect(version).toMatch(EXACT);
  expect(sum).toMatch(/^h1:[A-Za-z0-9+/]{43}=$/);
  expect(minutes).toBeGreaterThan(0);
  // What it is built with, too: a branch or a range would be another program on another day.
  for (const other of [...Object.values(require), ...Object.values(replace?.given ?? {}).map((to) => to.split(" ")[1])]) expect(other).toMatch(EXACT);
});

test("what comes from another registry is pinned to one version too", () => {
  for (const { name, requirement } of parts.filter(({ kind }) => kind === "python"))
    expect([name, requirement]).toEqual([name, expect.stringMatching(/^[\w-]+==\d+(\.\d+)+$/)]);
  for (const { packages = [] } of parts.filter(({ kind }) => kind === "npm")) expect(packages.filter((one) => !/^[\w-]+@\d+\.\d+\.\d+$/.test(one))).toEqual([]);
});

test("no two parts have one name, and the pins of one module agree", () => {
  expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
  const pins = new Map<string, string>();
  for (const { name, module = "", version, sum } of goParts) {
    const pin = `${version} ${sum}`;
    expect([name, pins.get(`${module} ${version}`) ?? pin]).toEqual([name, pin]);
    pins.set(`${module} ${version}`, pin);
  }
});

test("each part is a name that tests ask for", () => {
  const named = [...fs.readFileSync(path.join(root, "tests/support/real-parts.ts"), "utf8").matchAll(/^ {2}\| "([\w-]+)"/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(parts.map(({ name }) => name).toSorted());
});
