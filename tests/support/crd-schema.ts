/** Checks custom resources against the definitions in their charts, as far as these are beside the checkout. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { ruleCauses } from "../../lab/kubernetes/custom-rules";
import { pruneAndDefault } from "../../lab/kubernetes/custom-schema";
import { schemaCauses } from "../../lab/kubernetes/custom-validation";
import { chartFolder } from "./chart-data";

type Map = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);

interface Definition {
  spec: { names: { kind: string }; versions: { name: string; served: boolean; schema: { openAPIV3Schema: Map } }[] };
}

const read = new Map<string, Definition[]>();

/** All definitions that the charts' data has. @param ending of their files */
export function chartDefinitions(ending = ".yaml"): Definition[] {
  const root = chartFolder();
  if (root === undefined) return [];
  const files = fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.includes(`crds${path.sep}`) && file.endsWith(ending));
  return files.map((file) => parse(fs.readFileSync(path.join(root, file), "utf8")) as Definition);
}

/** All definitions of a group, from any chart. */
function definitionsOf(group: string): Definition[] {
  let found = read.get(group);
  if (found === undefined) {
    found = chartDefinitions(`.${group}.yaml`);
    read.set(group, found);
  }
  return found;
}

/** The schema of a kind. Undefined where no chart's data has it. `served: false`: the newest chart does not serve this version any more. */
export function kindSchema(apiVersion: string, kind: string): { schema: Map; served: boolean } | undefined {
  const [group = "", version = ""] = apiVersion.split("/");
  const found = definitionsOf(group)
    .filter(({ spec }) => spec.names.kind === kind)
    .flatMap(({ spec }) => spec.versions.filter(({ name }) => name === version));
  const [first] = found;
  return first === undefined ? undefined : { schema: first.schema.openAPIV3Schema, served: first.served };
}

const TOP = new Set(["apiVersion", "kind", "metadata"]);

/** Fields that the schema does not have. A server drops them silently, or refuses them under strict validation. */
function unknownFields(value: unknown, schema: Map, at: string): string[] {
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const items = schema["items"];
  if (Array.isArray(value)) return isMap(items) ? value.flatMap((one, index) => unknownFields(one, items, `${at}[${index}]`)) : [];
  if (!isMap(value)) return [];
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  const more = schema["additionalProperties"];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (at === "" && TOP.has(key)) return [];
    const own = properties[key] ?? more;
    const name = at === "" ? key : `${at}.${key}`;
    if (isMap(own)) return unknownFields(inner, own, name);
    return own === true ? [] : [`${name}: the kind has no such field`];
  });
}

/** What is wrong with an object, each as `<field>: <what>`. The definition's rules see it with its defaults. */
export function objectComplaints(object: Map, schema: Map): string[] {
  const causes = schemaCauses(object as never, schema as never);
  const stored = pruneAndDefault(JSON.parse(JSON.stringify(object)), schema as never);
  const all = [...causes, ...ruleCauses(stored, undefined, schema as never, causes)];
  return [...unknownFields(object, schema, ""), ...all.map(({ field, message }) => `${field}: ${message}`)];
}
