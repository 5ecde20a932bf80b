/**
 * What a chart knows: its values.yaml, its schema and the paths that its templates read, as `<chart>/<version>` in a folder beside
 * the checkout. A value is known where one of the three has its path, or where values.yaml has an empty map or list above it.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { type ChartData, isMap, lifted, type ValueMap } from "../../orchestrator/charts/known-values";

export { strangeValues } from "../../orchestrator/charts/known-values";

/** `shared/charts` beside the checkout or above it. */
export function chartFolder(): string | undefined {
  for (let folder = path.join(__dirname, "../.."); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const candidate = path.join(folder, "shared", "charts");
    if (fs.existsSync(path.join(candidate, "INDEX.tsv"))) return candidate;
  }
  return undefined;
}

/** Maps of which templates hand every entry on, although they read some by name as well: as good as empty in values.yaml. */
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

/** A copy with an empty map at the path. */
function emptied(values: ValueMap, [key = "", ...rest]: readonly string[]): ValueMap {
  const inner = values[key];
  return { ...values, [key]: rest.length > 0 && isMap(inner) ? emptied(inner, rest) : {} };
}

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
    values: inside.reduce<ValueMap>((all, { alias, data }) => merged({ [alias]: data.values }, all) as ValueMap, values),
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
