/** Dashboards as Grafana imports them: by the fields of its model, and by what each names. */
import { z } from "zod";
import { builtModule } from "../../../../tests/support/module-build";
import { only, plain } from "../../../../tests/support/pulumi-mocks";
import { JAEGER_SOURCE } from "../../jaeger/values";
import { LOKI_SOURCE } from "../../loki/values";
import { kubePrometheusStack } from "../module";
import { DASHBOARDS } from "./index";

const source = z.strictObject({ type: z.enum(["prometheus", "loki", "jaeger"]), uid: z.string() });
const asked = { refId: z.string().regex(/^[A-Z]$/), datasource: source, legendFormat: z.string().optional() };

/** The part of it that ours use (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/). */
const model = z.strictObject({
  uid: z.string().regex(/^[a-zA-Z0-9-]{1,40}$/),
  title: z.string().min(1),
  tags: z.array(z.string()),
  timezone: z.enum(["browser", "utc"]),
  schemaVersion: z.literal(39),
  refresh: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  templating: z.strictObject({
    list: z.array(
      z.strictObject({
        name: z.string().regex(/^\w+$/),
        label: z.string(),
        type: z.literal("query"),
        datasource: source,
        query: z.union([
          z.strictObject({ query: z.string().regex(/^label_values\(.+, \w+\)$/), refId: z.string() }),
          z.strictObject({ label: z.string(), stream: z.string(), type: z.literal(1) }),
        ]),
        refresh: z.literal(2),
        sort: z.literal(1),
        multi: z.boolean(),
        includeAll: z.boolean(),
        current: z.strictObject({ text: z.array(z.string()), value: z.array(z.string()) }),
      }),
    ),
  }),
  panels: z.array(
    z.strictObject({
      id: z.int().min(1),
      type: z.enum(["timeseries", "stat", "logs", "table"]),
      title: z.string().min(1),
      datasource: source,
      gridPos: z.strictObject({ x: z.int().min(0).max(23), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) }),
      fieldConfig: z.strictObject({
        defaults: z.strictObject({ unit: z.enum(["percentunit", "short", "Bps", "bytes", "s", "ops"]).optional(), min: z.literal(0).optional() }),
        overrides: z.array(z.never()),
      }),
      targets: z
        .array(
          z.union([
            z.strictObject({ ...asked, expr: z.string().min(1) }),
            z.strictObject({ ...asked, queryType: z.literal("search"), service: z.string().min(1), limit: z.int() }),
          ]),
        )
        .min(1),
    }),
  ),
});

/** Data sources that exist: the chart makes the one of Prometheus, and each store its own. */
const SOURCES = ["prometheus", LOKI_SOURCE.uid, JAEGER_SOURCE.uid];

describe.each(Object.entries(DASHBOARDS))("%s", (_, dashboard) => {
  const { panels, templating } = dashboard;

  test("has the fields of Grafana's model", () => {
    expect(model.safeParse(dashboard).error).toBeUndefined();
  });

  test("asks sources that are there, each by its own language", () => {
    for (const { datasource, targets } of panels) {
      expect(SOURCES).toContain(datasource.uid);
      for (const target of targets) expect([target.datasource.type, "expr" in target]).toEqual([target.datasource.uid, target.datasource.uid !== "jaeger"]);
    }
  });

  test("uses the variables that it has, and has those that it uses", () => {
    const queries = panels.flatMap(({ targets }) => targets.map((target) => ("expr" in target ? target.expr : target.service)));
    const used = [...queries, ...templating.list.map(({ query }) => JSON.stringify(query))].flatMap((query) =>
      [...query.matchAll(/\$(\w+)/g)].map(([, name]) => name),
    );
    expect([...new Set(used)].toSorted()).toEqual(templating.list.map(({ name }) => name).toSorted());
  });

  test("has panels that do not lie on each other, none beyond the right", () => {
    const cells = panels.flatMap(({ gridPos: at }) =>
      Array.from({ length: (at?.w ?? 0) * (at?.h ?? 0) }, (__, n) => `${(at?.x ?? 0) + (n % (at?.w ?? 1))},${(at?.y ?? 0) + Math.floor(n / (at?.w ?? 1))}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect((gridPos?.x ?? 0) + (gridPos?.w ?? 0)).toBeLessThanOrEqual(24);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

test("each has a name of its own, and Grafana's sidecar finds them all", async () => {
  const all = Object.values(DASHBOARDS);
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  const shown = plain(only(await builtModule(kubePrometheusStack), "kubernetes:core/v1:ConfigMap").inputs) as {
    metadata: { labels: object };
    data: Record<string, string>;
  };
  expect(shown.metadata.labels).toEqual({ grafana_dashboard: "1" });
  expect(Object.fromEntries(Object.entries(shown.data).map(([file, text]) => [file.replace(".json", ""), JSON.parse(text)]))).toEqual(DASHBOARDS);
});
