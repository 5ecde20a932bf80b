/**
 * Which values a chart knows: its values.yaml, its schema, and the paths that its templates read. A value is known where one of the
 * three has its path, or where values.yaml has an empty map or list above it. Pure.
 */
import { parse } from "yaml";

export type ValueMap = Readonly<Record<string, unknown>>;

export interface ChartData {
  readonly values: ValueMap;
  readonly schema: ValueMap | undefined;
  /** `a.b`: a template reads it, and all below it where nothing more exact is listed. */
  readonly read: ReadonlySet<string>;
}

export const isMap = (value: unknown): value is ValueMap => typeof value === "object" && value !== null && !Array.isArray(value);
const isEmpty = (value: unknown): boolean => value === null || value === undefined || Object.keys(Object(value)).length === 0;

const kindOf = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** Follows `$ref` inside the same document. */
function resolved(schema: unknown, root: ValueMap | undefined): ValueMap | undefined {
  let current = schema;
  for (let hops = 0; hops < 20 && isMap(current) && typeof current["$ref"] === "string"; hops++) {
    current = String(current["$ref"])
      .replace(/^#\/?/, "")
      .split("/")
      .filter((key) => key !== "")
      .reduce<unknown>((node, key) => (isMap(node) ? node[key] : undefined), root);
  }
  return isMap(current) ? current : undefined;
}

function typesOf(schema: ValueMap | undefined): string[] {
  const type = schema?.["type"];
  const list = Array.isArray(type) ? type.map(String) : typeof type === "string" ? [type] : [];
  return list.map((name) => (name === "integer" ? "number" : name));
}

/** The schema of a key: `false` where the schema allows no such key, undefined where it says nothing. */
function below(schema: ValueMap | undefined, key: string, root: ValueMap | undefined): ValueMap | false | undefined {
  if (schema === undefined) return undefined;
  const own = isMap(schema["properties"]) ? schema["properties"][key] : undefined;
  if (own !== undefined) return resolved(own, root) ?? {};
  const more = schema["additionalProperties"];
  return more === false ? false : resolved(more, root);
}

/** The resources of containers, which values.yaml often shows in part: these paths are always known. */
const RESOURCES = /(^|\.)[a-zA-Z]*[rR]esources(\.(requests|limits)(\.(cpu|memory|ephemeral-storage))?)?$/;

interface At {
  readonly path: string;
  readonly usual: unknown;
  readonly schema: ValueMap | undefined;
  /** Every key is allowed: values.yaml has an empty map or list at or above this path, or a template passes the whole map on. */
  readonly free: boolean;
}

/** Values that the chart does not know, or that are of another type, each as `<path>: <what is wrong>`. */
export function strangeValues({ values, schema: root, read }: ChartData, given: ValueMap): string[] {
  const mentioned = (own: string): boolean => read.has(own) || [...read].some((one) => one.startsWith(`${own}.`));
  const isWhole = (own: string): boolean => read.has(own) && ![...read].some((one) => one.startsWith(`${own}.`));
  const check = (value: unknown, at: At): string[] => {
    if (value === null) return [];
    const types = typesOf(at.schema);
    const usual = at.usual === null || at.usual === undefined ? [] : [kindOf(at.usual)];
    const allowed = types.length > 0 ? types : usual;
    if (allowed.length > 0 && !allowed.includes(kindOf(value))) return [`${at.path}: is ${kindOf(value)}, and the chart takes ${allowed.join(" or ")}`];
    const one = at.schema?.["enum"];
    if (Array.isArray(one) && !one.includes(value)) return [`${at.path}: is ${JSON.stringify(value)}, and the chart takes ${one.join(", ")}`];
    return isMap(value) ? Object.entries(value).flatMap(([key, inner]) => entry(key, inner, at)) : [];
  };
  const entry = (key: string, inner: unknown, at: At): string[] => {
    const own = at.path === "" ? key : `${at.path}.${key}`;
    const usual = isMap(at.usual) ? at.usual[key] : undefined;
    const inSchema = below(at.schema, key, root);
    if (inSchema === false) return [`${own}: the chart's schema has no such key`];
    const inValues = isMap(at.usual) && key in at.usual;
    const free = at.free || (inValues && isEmpty(usual)) || (!inValues && isWhole(own));
    if (!inValues && inSchema === undefined && !free && !mentioned(own) && !RESOURCES.test(own)) return [`${own}: the chart knows no such key`];
    return check(inner, { path: own, usual, schema: inSchema, free });
  };
  return check(given, { path: "", usual: values, schema: root, free: false });
}

/** What templates read, as `a.b.c`. Where a template passes a whole map on, only the map's path is found. */
function pathsRead(templates: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const text of templates) for (const [, path = ""] of text.matchAll(/\$?\.Values((?:\.[A-Za-z_][\w]*)+)/g)) found.add(path.slice(1));
  return found;
}

/** Istio's charts keep their defaults below one key, which nobody sets (https://github.com/istio/istio/issues/51551). */
const INNER = "_internal_defaults_do_not_set";
export const lifted = ({ [INNER]: inner, ...rest }: ValueMap): ValueMap => (isMap(inner) ? { ...inner, ...rest } : rest);

/** From the chart's own files, without those of its subcharts. */
export function chartDataOf(files: ReadonlyMap<string, string>): ChartData {
  const schema = files.get("values.schema.json");
  const templates = [...files].flatMap(([name, text]) => (/^templates\//.test(name) ? [text] : []));
  // A subchart has its values below its own name. They are not checked here.
  const inside = [...files.keys()].flatMap((name) => /^charts\/([^/]+)\/Chart\.yaml$/.exec(name)?.[1] ?? []);
  const values = lifted((parse(files.get("values.yaml") ?? "{}") ?? {}) as ValueMap);
  return {
    values: { ...Object.fromEntries(["global", ...inside].map((name) => [name, {}])), ...values },
    schema: schema === undefined ? undefined : (JSON.parse(schema) as ValueMap),
    read: pathsRead(templates),
  };
}
