/** Dashboards of Grafana as data (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/). Pure. */

/** What is queried: metrics by PromQL, logs by LogQL, or the latest traces of a service. */
export type Source = "prometheus" | "loki" | "jaeger";

export interface Query {
  /** Default `prometheus`. */
  readonly source?: Source;
  /** PromQL or LogQL; for traces the name of the service. */
  readonly query: string;
  /** Of each line: `{{label}}` is one of its labels. Default: all of them. */
  readonly legend?: string;
}

export interface Panel extends Query {
  readonly title: string;
  /** Default `timeseries`. */
  readonly type?: "timeseries" | "stat" | "logs" | "table";
  /** How values are shown. Default `short`. */
  readonly unit?: "percentunit" | "short" | "Bps" | "bytes" | "s" | "ops";
  /** More queries in the same panel. */
  readonly more?: readonly Query[];
  /** Columns of the 24 that a row has. Default 12. */
  readonly width?: 6 | 12 | 24;
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly source: "prometheus" | "loki";
  /** Label whose values it takes. */
  readonly of: string;
  /** Metric or stream that has the label. */
  readonly from: string;
}

/** Variable for metrics: which environments are shown. */
export const CLUSTER: Variable = { name: "cluster", label: "Environment", source: "prometheus", of: "cluster", from: "up" };
export const NAMESPACE: Variable = { name: "namespace", label: "Namespace", source: "prometheus", of: "namespace", from: 'kube_pod_info{cluster=~"$cluster"}' };

export interface DashboardArgs {
  readonly uid: string;
  readonly title: string;
  readonly variables: readonly Variable[];
  readonly panels: readonly Panel[];
}

const ROW = 24;
const HEIGHT = 8;

const sourceOf = (source: Source = "prometheus") => ({ type: source, uid: source });

function targetOf({ source = "prometheus", query, legend }: Query, index: number) {
  const refId = String.fromCharCode("A".charCodeAt(0) + index);
  const own = source === "jaeger" ? { queryType: "search", service: query, limit: 50 } : { expr: query };
  return { refId, datasource: sourceOf(source), ...own, ...(legend === undefined ? {} : { legendFormat: legend }) };
}

/** Position of each panel: rows are filled from the left, and no panel covers another. */
function places(panels: readonly Panel[]): { x: number; y: number; w: number; h: number }[] {
  let [x, y] = [0, 0];
  return panels.map(({ width = 12 }) => {
    if (x + width > ROW) [x, y] = [0, y + HEIGHT];
    const place = { x, y, w: width, h: HEIGHT };
    x += width;
    return place;
  });
}

const variableOf = ({ name, label, source, of, from }: Variable) => ({
  name,
  label,
  type: "query" as const,
  datasource: sourceOf(source),
  query: source === "loki" ? { label: of, stream: from, type: 1 } : { query: `label_values(${from}, ${of})`, refId: name },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  current: { text: ["All"], value: ["$__all"] },
});

/** A dashboard as Grafana imports it. */
export function dashboard({ uid, title, variables, panels }: DashboardArgs) {
  const grid = places(panels);
  return {
    uid,
    title,
    tags: ["homelab"],
    timezone: "browser",
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: { list: variables.map(variableOf) },
    panels: panels.map(({ title: own, type = "timeseries", unit = "short", more = [], source, query, legend }, index) => ({
      id: index + 1,
      type,
      title: own,
      datasource: sourceOf(source),
      gridPos: grid[index],
      fieldConfig: { defaults: type === "logs" || type === "table" ? {} : { unit, min: 0 }, overrides: [] },
      targets: [{ ...(source === undefined ? {} : { source }), query, ...(legend === undefined ? {} : { legend }) }, ...more].map(targetOf),
    })),
  };
}

export type Dashboard = ReturnType<typeof dashboard>;
