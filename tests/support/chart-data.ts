/**
 * What a chart knows: its values.yaml, its schema and the paths that its templates read, as `<chart>/<version>` in a folder beside
 * the checkout. A value is known where one of the three has its path, or where values.yaml has an empty map or list above it.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

/** `shared/charts` beside the checkout or above it. */
export function chartFolder(): string | undefined {
  for (let folder = path.join(__dirname, "../.."); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const candidate = path.join(folder, "shared", "charts");
    if (fs.existsSync(path.join(candidate, "INDEX.tsv"))) return candidate;
  }
  return undefined;
}

type Map = Readonly<Record<string, unknown>>;

export interface ChartData {
  readonly values: Map;
  readonly schema: Map | undefined;
  /** `a.b`: a template reads it, and all below it where nothing more exact is listed. */
  readonly read: ReadonlySet<string>;
}

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);
/** Maps of which templates hand every entry on, although they read some by name as well: as good as empty in values.yaml. */
const HANDED_ON: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "argo-cd": [["configs", "params"]],
  "gitlab-runner": [["podSecurityContext"]],
  grafana: [["grafana.ini"]],
  jaeger: [["jaeger", "podSecurityContext"]],
  loki: [["loki", "limits_config"]],
  minio: [["containerSecurityContext"]],
  istiod: [["meshConfig"]],
  "prometheus-node-exporter": [["securityContext"], ["containerSecurityContext"]],
};

/** A copy with an empty map at the path. */
function emptied(values: Map, [key = "", ...rest]: readonly string[]): Map {
  const inner = values[key];
  return { ...values, [key]: rest.length > 0 && isMap(inner) ? emptied(inner, rest) : {} };
}

/** Istio's charts keep their defaults below one key, which nobody sets (https://github.com/istio/istio/issues/51551). */
const INNER = "_internal_defaults_do_not_set";
const lifted = ({ [INNER]: inner, ...rest }: Map): Map => (isMap(inner) ? { ...inner, ...rest } : rest);

const isEmpty = (value: unknown): boolean => value === null || value === undefined || Object.keys(Object(value)).length === 0;

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly alias?: string;
}

/** Maps in one another; what the second says wins. */
function merged(under: unknown, over: unknown): unknown {
  if (!isMap(under) || !isMap(over)) return over === undefined ? under : over;
  return Object.fromEntries([...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => [key, merged(under[key], over[key])]));
}

/** With what the charts inside it know, each below its name, as far as there is data of them. */
function withDependencies({ values, schema, read }: ChartData, dependencies: readonly Dependency[]): ChartData {
  const inside = dependencies.flatMap(({ name, version, alias = name }) => {
    const data = chartData(name, version);
    return data === undefined ? [] : [{ alias, data }];
  });
  return {
    values: inside.reduce<Map>((all, { alias, data }) => merged({ [alias]: data.values }, all) as Map, values),
    schema,
    read: new Set([...read, ...inside.flatMap(({ alias, data }) => [...data.read].map((one) => `${alias}.${one}`))]),
  };
}

/** Undefined where nothing is known of the chart at this version. */
export function chartData(name: string, version: string): ChartData | undefined {
  const exact = path.join(chartFolder() ?? "", name, version);
  // Of some charts one version of a major line is known.
  const folder = fs.existsSync(exact) ? exact : path.join(chartFolder() ?? "", name, `${version.split(".")[0]}.x`);
  if (!path.isAbsolute(folder) || !fs.existsSync(folder)) return undefined;
  const text = (file: string): string | undefined => {
    const full = path.join(folder, file);
    return fs.existsSync(full) ? fs.readFileSync(full, "utf8") : undefined;
  };
  const schema = text("values.schema.json");
  const own = lifted((parse(text("values.yaml") ?? "{}") ?? {}) as Map);
  const { dependencies = [] } = (parse(text("Chart.yaml") ?? "{}") ?? {}) as { dependencies?: Dependency[] };
  return withDependencies(
    {
      values: (HANDED_ON[name] ?? []).reduce<Map>((values, at) => emptied(values, at), own),
      schema: schema === undefined ? undefined : (JSON.parse(schema) as Map),
      read: new Set((text("template-values.txt") ?? "").split("\n").filter((line) => line !== "")),
    },
    dependencies,
  );
}

const kindOf = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** A schema without `$ref`, as far as it leads to one of its own. */
function resolved(schema: unknown, root: Map | undefined): Map | undefined {
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

function typesOf(schema: Map | undefined): string[] {
  const type = schema?.["type"];
  const list = Array.isArray(type) ? type.map(String) : typeof type === "string" ? [type] : [];
  return list.map((name) => (name === "integer" ? "number" : name));
}

/** The schema of a key: `false` where the schema allows no such key, undefined where it says nothing. */
function below(schema: Map | undefined, key: string, root: Map | undefined): Map | false | undefined {
  if (schema === undefined) return undefined;
  const own = isMap(schema["properties"]) ? schema["properties"][key] : undefined;
  if (own !== undefined) return resolved(own, root) ?? {};
  const more = schema["additionalProperties"];
  return more === false ? false : resolved(more, root);
}

/** The settings of containers, which values.yaml often shows in part: below `resources` these are known. */
const RESOURCES = /(^|\.)[a-zA-Z]*[rR]esources(\.(requests|limits)(\.(cpu|memory|ephemeral-storage))?)?$/;

interface At {
  readonly path: string;
  readonly usual: unknown;
  readonly schema: Map | undefined;
  /** Anything goes: an empty map or list of values.yaml is above, or a template hands on the whole. */
  readonly free: boolean;
}

/** Values that the chart does not know, or that are of another type, each as `<path>: <what is wrong>`. */
export function strangeValues({ values, schema: root, read }: ChartData, given: Map): string[] {
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
