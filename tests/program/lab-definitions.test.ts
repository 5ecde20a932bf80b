/**
 * The lab's own definitions have every field of the custom resources that the programs register. The API would drop a field that they lack,
 * and each later preview would show it as a change.
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
/** Folders with the definitions that operators install when they start, and with published manifests. */
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
/** Groups with a dot in their names that belong to Kubernetes itself. */
const BUILT_IN = /\.k8s\.io$|^helm\.sh$/;
/** Groups that look like Kubernetes' own and are not. */
const OTHERS = ["snapshot.storage.k8s.io", "gateway.networking.k8s.io"];

/** Paths of what the first value has and the second does not. */
function missing(given: unknown, kept: unknown, at = ""): string[] {
  if (typeof given !== "object" || given === null) return Object.is(given, kept) ? [] : [at];
  return Object.entries(given).flatMap(([key, value]) => missing(value, (kept as Record<string, unknown> | undefined)?.[key], `${at}.${key}`));
}

function complaints({ type, name, inputs }: Registered): string[] {
  const [, group = "", version = "", kind = ""] = KIND.exec(type) ?? [];
  if (group === "" || (BUILT_IN.test(group) && !OTHERS.includes(group))) return [];
  const schema = schemas.get(`${group}/${version} ${kind}`);
  if (schema === undefined) return [`${type} ${name}: the lab has no definition of it`];
  // The object as it is sent. The mocks put a text in place of an unknown value.
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
