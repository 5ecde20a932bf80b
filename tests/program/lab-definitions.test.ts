/**
 * The lab's own definitions know every field of the custom resources that the programs register: a field that they lack is dropped when
 * it is written, and is a change in each later preview.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { findChart, folderCrds } from "../../lab/artefacts/charts";
import { pruneAndDefault } from "../../lab/kubernetes/custom-schema";
import { schemaCauses } from "../../lab/kubernetes/custom-validation";
import { plain, type Registered } from "../support/pulumi-mocks";
import { plannedModules, renderedObjects } from "../support/rendered-stacks";
import { ownRuns } from "../support/stack-run";

const { names: STACK_NAMES, registeredBy } = ownRuns();
const DATA = path.join(__dirname, "..", "..", "lab");
/** What an operator brings when it starts, and what is applied from published files. */
const FOLDERS = ["artefacts/data/manifests", "controllers/data/operands"];

const definition = z.looseObject({
  kind: z.literal("CustomResourceDefinition"),
  spec: z.looseObject({
    group: z.string(),
    names: z.looseObject({ kind: z.string() }),
    versions: z.array(z.looseObject({ name: z.string(), schema: z.looseObject({ openAPIV3Schema: z.looseObject({}) }) })),
  }),
});
type Schema = Parameters<typeof pruneAndDefault>[1];

const fromFiles = FOLDERS.flatMap((folder) =>
  fs
    .readdirSync(path.join(DATA, folder))
    .flatMap((file) => parseAllDocuments(fs.readFileSync(path.join(DATA, folder, file), "utf8")).map((document) => document.toJS() as unknown)),
);
const fromCharts = plannedModules().flatMap(({ plan, module }) => [
  ...renderedObjects(module, plan),
  ...Object.values(module.charts).flatMap(({ repository, name, version }) => {
    const chart = findChart(repository, name, version);
    return chart === undefined ? [] : folderCrds(chart);
  }),
]);
const schemas = new Map<string, Schema>();
for (const object of [...fromFiles, ...fromCharts]) {
  const { data } = definition.safeParse(object);
  for (const version of data?.spec.versions ?? [])
    schemas.set(`${data?.spec.group}/${version.name} ${data?.spec.names.kind}`, version.schema.openAPIV3Schema as Schema);
}

const KIND = /^kubernetes:([^/]+\.[^/]+)\/([^:]+):(\w+)$/;
/** Groups of Kubernetes itself with a dot in their names. */
const BUILT_IN = /\.k8s\.io$|^helm\.sh$/;
/** The group of a kind that ends as Kubernetes' own do, and is somebody else's. */
const OTHERS = ["snapshot.storage.k8s.io", "gateway.networking.k8s.io"];

/** Paths of what is in the first value and not in the second. */
function missing(given: unknown, kept: unknown, at = ""): string[] {
  if (typeof given !== "object" || given === null) return Object.is(given, kept) ? [] : [at];
  return Object.entries(given).flatMap(([key, value]) => missing(value, (kept as Record<string, unknown> | undefined)?.[key], `${at}.${key}`));
}

function complaints({ type, name, inputs }: Registered): string[] {
  const [, group = "", version = "", kind = ""] = KIND.exec(type) ?? [];
  if (group === "" || (BUILT_IN.test(group) && !OTHERS.includes(group))) return [];
  const schema = schemas.get(`${group}/${version} ${kind}`);
  if (schema === undefined) return [`${type} ${name}: the lab has no definition of it`];
  // As it is sent: what a mock made of an unknown is a text.
  const given = JSON.parse(JSON.stringify(plain(inputs))) as Parameters<typeof pruneAndDefault>[0];
  const kept = pruneAndDefault(JSON.parse(JSON.stringify(given)) as typeof given, schema);
  return [...missing(given, kept), ...schemaCauses(kept, schema).map(({ field, message }) => `${field}: ${message}`)].map((text) => `${type} ${name}: ${text}`);
}

test.each(STACK_NAMES)("%s", async (stack) => {
  expect((await registeredBy(stack)).flatMap(complaints)).toEqual([]);
});

test("a field that a definition lacks is found", () => {
  const schema = { type: "object", properties: { spec: { type: "object", properties: { a: { type: "string" } } } } } as unknown as Schema;
  schemas.set("x.example.org/v1 Thing", schema);
  const thing = { type: "kubernetes:x.example.org/v1:Thing", name: "t", inputs: { spec: { a: "1", b: "2" } } } as unknown as Registered;
  expect(complaints(thing)).toEqual(["kubernetes:x.example.org/v1:Thing t: .spec.b"]);
});
