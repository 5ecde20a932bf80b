/**
 * Which values a chart knows. A folder beside the checkout has, as `<chart>/<version>`, its values.yaml, its schema and the paths that its
 * templates read. A value is known if one of the three has its path, or if values.yaml has an empty map or list above it.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { type ChartData, isMap, lifted, type ValueMap } from "../../orchestrator/charts/known-values";

export { strangeValues } from "../../orchestrator/charts/known-values";

/** The folder `shared/charts`, in the checkout or in a folder above it. */
export function chartFolder(): string | undefined {
  for (let folder = path.join(__dirname, "../.."); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const candidate = path.join(folder, "shared", "charts");
    if (fs.existsSync(path.join(candidate, "INDEX.tsv"))) return candidate;
  }
  return undefined;
}

/** Maps whose entries the templates pass on as they are, although they also read some by name. They count as empty in values.yaml. */
const HANDED_ON: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "argo-cd": [
    ["configs", "cm"],
    ["configs", "params"],
  ],
  "gitlab-runner": [["podSecurityContext"]],
  grafana: [["grafana.ini"]],
  jaeger: [["jaeger", "podSecurityContext"]],
  loki: [["loki", "limits_config"]],
  minio: [["containerSecurityContext"]],
  istiod: [["meshConfig"]],
  "prometheus-node-exporter": [["securityContext"], ["containerSecurityContext"]],
};

/** A copy of the values with an empty map at the path. */
function emptied(values: ValueMap, [key = "", ...rest]: readonly string[]): ValueMap {
  const inner = values[key];
  return { ...values, [key]: rest.length > 0 && isMap(inner) ? emptied(inner, rest) : {} };
}

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly alias?: string;
}

/** Merges maps deeply; values of the second take precedence. */
function merged(under: unknown, over: unknown): unknown {
  if (!isMap(under) || !isMap(over)) return over === undefined ? under : over;
  return Object.fromEntries([...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => [key, merged(under[key], over[key])]));
}

/** The data with that of the chart's dependencies, each below its name, as far as there is data of them. */
function withDependencies({ values, schema, read }: ChartData, dependencies: readonly Dependency[]): ChartData {
  const inside = dependencies.flatMap(({ name, version, alias = name }) => {
    const data = chartData(name, version);
    return data === undefined ? [] : [{ alias, data }];
  });
  return {
    values: inside.reduce<ValueMap>((all, { alias, data }) => merged({ [alias]: data.values }, all) as ValueMap, values),
    schema,
    read: new Set([...read, ...inside.flatMap(({ alias, data }) => [...data.read].map((one) => `${alias}.${one}`))]),
  };
}

/** The data of a chart at a version; undefined if there is none. */
export function chartData(name: string, version: string): ChartData | undefined {
  const exact = path.join(chartFolder() ?? "", name, version);
  // Some charts have data of one version for a whole major version.
  const folder = fs.existsSync(exact) ? exact : path.join(chartFolder() ?? "", name, `${version.split(".")[0]}.x`);
  if (!path.isAbsolute(folder) || !fs.existsSync(folder)) return undefined;
  const text = (file: string): string | undefined => {
    const full = path.join(folder, file);
    return fs.existsSync(full) ? fs.readFileSync(full, "utf8") : undefined;
  };
  const schema = text("values.schema.json");
  const own = lifted((parse(text("values.yaml") ?? "{}") ?? {}) as ValueMap);
  const { dependencies = [] } = (parse(text("Chart.yaml") ?? "{}") ?? {}) as { dependencies?: Dependency[] };
  return withDependencies(
    {
      values: (HANDED_ON[name] ?? []).reduce<ValueMap>((values, at) => emptied(values, at), own),
      schema: schema === undefined ? undefined : (JSON.parse(schema) as ValueMap),
      read: new Set((text("template-values.txt") ?? "").split("\n").filter((line) => line !== "")),
    },
    dependencies,
  );
}
