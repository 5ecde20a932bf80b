/** Checks custom resources against the definitions in their charts, as far as these are beside the checkout. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { schemaCauses } from "../../lab/kubernetes/custom-validation";
import { chartFolder } from "./chart-data";

type Map = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);

interface Definition {
  spec: { names: { kind: string }; versions: { name: string; served: boolean; schema: { openAPIV3Schema: Map } }[] };
}

const read = new Map<string, Definition[]>();

/** All definitions of a group, from any chart. */
function definitionsOf(group: string): Definition[] {
  const known = read.get(group);
  if (known !== undefined) return known;
  const root = chartFolder();
  const files =
    root === undefined
      ? []
      : fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.includes(`crds${path.sep}`) && file.endsWith(`.${group}.yaml`));
  const found = files.map((file) => parse(fs.readFileSync(path.join(root ?? "", file), "utf8")) as Definition);
  read.set(group, found);
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

/** What is wrong with an object, each as `<field>: <what>`. */
export function objectComplaints(object: Map, schema: Map): string[] {
  const causes = schemaCauses(object as never, schema as never).map(({ field, message }) => `${field}: ${message}`);
  return [...unknownFields(object, schema, ""), ...causes];
}
