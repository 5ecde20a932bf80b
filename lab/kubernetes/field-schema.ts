/** What the OpenAPI document says of a field: how lists merge, and which fields there are. */
import { z } from "zod";
import { isMap, type JsonMap, type KubeObject, listAt, mapAt } from "./objects";
import { type ResourceType, readData } from "./resource-types";

let definitions: JsonMap | undefined;
let byKind: Map<string, JsonMap> | undefined;

function load(): { definitions: JsonMap; byKind: Map<string, JsonMap> } {
  if (definitions === undefined || byKind === undefined) {
    definitions = z.object({ definitions: z.record(z.string(), z.json()) }).parse(readData("openapi-v2.json.gz")).definitions;
    byKind = new Map();
    for (const definition of Object.values(definitions)) {
      if (!isMap(definition)) continue;
      for (const gvk of listAt(definition, "x-kubernetes-group-version-kind")) byKind.set(`${gvk["group"]}/${gvk["version"]}/${gvk["kind"]}`, definition);
    }
  }
  return { definitions, byKind };
}

/** A node of a schema; undefined means that anything goes. */
export type Schema = JsonMap | undefined;

function resolve(schema: unknown): Schema {
  if (!isMap(schema)) return undefined;
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  const target = load().definitions[ref.slice("#/definitions/".length)];
  // Keywords beside a `$ref` (list types) are kept.
  return isMap(target) ? { ...target, ...schema } : undefined;
}

/** The schema of a kind; of a custom one as its definition gives it. */
export function schemaOf(type: ResourceType): Schema {
  if (type.crd === undefined) return load().byKind.get(`${type.group}/${type.version}/${type.kind}`);
  return crdSchema(type.crd, type.version);
}

export function crdSchema(crd: KubeObject, version: string): Schema {
  const found = listAt(crd, "spec", "versions").find((v) => v["name"] === version);
  const schema = mapAt(found, "schema", "openAPIV3Schema");
  return Object.keys(schema).length > 0 ? schema : undefined;
}

/** The schema of a field of a map. */
export function field(schema: Schema, name: string): Schema {
  const node = resolve(schema);
  return resolve(mapAt(node, "properties")[name]) ?? resolve(node?.["additionalProperties"]);
}

export const items = (schema: Schema): Schema => resolve(resolve(schema)?.["items"]);

/** How a list merges: by keys of its items, as a set, or as a whole. */
export function listType(schema: Schema): { kind: "map"; keys: string[] } | { kind: "set" } | { kind: "atomic" } {
  const node = resolve(schema);
  const keys = node?.["x-kubernetes-list-map-keys"];
  if (node?.["x-kubernetes-list-type"] === "map" && Array.isArray(keys)) return { kind: "map", keys: keys.filter((key) => typeof key === "string") };
  return node?.["x-kubernetes-list-type"] === "set" ? { kind: "set" } : { kind: "atomic" };
}

/** How a list merges in a strategic merge patch. */
export function patchMergeKey(schema: Schema): string | undefined {
  const node = resolve(schema);
  const strategy = node?.["x-kubernetes-patch-strategy"];
  const key = node?.["x-kubernetes-patch-merge-key"];
  return typeof strategy === "string" && strategy.includes("merge") && typeof key === "string" ? key : undefined;
}

export const isAtomicMap = (schema: Schema): boolean => resolve(schema)?.["x-kubernetes-map-type"] === "atomic";

/** Default of a map key that an item leaves out, as the server fills it in. */
export const keyDefault = (schema: Schema, key: string): unknown => field(items(schema), key)?.["default"] ?? (key === "protocol" ? "TCP" : undefined);

/** How the path of a field names an item of a list. */
type ItemStep = (item: unknown, at: number, list: Schema) => string;

const byIndex: ItemStep = (_item, at) => `[${at}]`;

/** As an apply names it: by the keys of a list that merges by keys. */
const byKeys: ItemStep = (item, at, list) => {
  const type = listType(list);
  if (type.kind !== "map" || !isMap(item)) return `[${at}]`;
  return `[${type.keys.flatMap((key) => (item[key] === undefined ? [] : [`${key}=${JSON.stringify(item[key])}`])).join(",")}]`;
};

const OBJECT_FIELDS = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
};

/** A schema with the fields that every object has: a definition leaves them out, and an object in a field has them too. */
const asObject = (schema: JsonMap): JsonMap => ({ ...schema, properties: { ...mapAt(schema, "properties"), ...OBJECT_FIELDS } });

/** Top-level and nested fields that the schema does not have, as dotted paths. Only kinds with a schema are checked. */
export function unknownFields(value: unknown, schema: Schema, path = "", step = byIndex): string[] {
  const found = resolve(schema);
  if (found === undefined || found["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const node = found["x-kubernetes-embedded-resource"] === true ? asObject(found) : found;
  if (Array.isArray(value)) return value.flatMap((item, i) => unknownFields(item, items(node), `${path}${step(item, i, node)}`, step));
  if (!isMap(value) || !isMap(node["properties"]))
    return isMap(value) && node["additionalProperties"] !== undefined
      ? Object.entries(value).flatMap(([k, v]) => unknownFields(v, resolve(node["additionalProperties"]), `${path}.${k}`, step))
      : [];
  const properties = node["properties"];
  return Object.entries(value).flatMap(([key, child]) => {
    const where = path === "" ? key : `${path}.${key}`;
    return key in properties ? unknownFields(child, resolve(properties[key]), where, step) : [where];
  });
}

/** The fields that an apply refuses since the schema does not declare them, as it names them. */
export function undeclaredFields(value: unknown, type: ResourceType): string[] {
  const schema = schemaOf(type);
  const whole = type.crd === undefined || schema === undefined ? schema : { ...schema, "x-kubernetes-embedded-resource": true };
  return unknownFields(value, whole, "", byKeys)
    .map((field) => `.${field}`)
    .toSorted();
}
