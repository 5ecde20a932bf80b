/** Every query of the dashboards and alerts, by the grammars of Prometheus' and Grafana's own editors. */
import { parser as logql } from "@grafana/lezer-logql";
import { parser as promql } from "@prometheus-io/lezer-promql";
import { hubAlerts } from "../../otel-collector/alerts";
import { ALERTS } from "../alerts";
import { DASHBOARDS } from "./index";

const PARSERS = { prometheus: promql, loki: logql } as const;
type Language = keyof typeof PARSERS;

/** Positions of syntax errors. */
function errorsOf(language: Language, query: string): number[] {
  const found: number[] = [];
  PARSERS[language].parse(query).iterate({
    enter: ({ type, from }) => {
      if (type.isError) found.push(from);
    },
  });
  return found;
}

const asked = Object.values(DASHBOARDS).flatMap(({ panels }) =>
  panels.flatMap(({ targets }) => targets.flatMap((target) => ("expr" in target ? [[target.datasource.type as Language, target.expr] as const] : []))),
);
const alerts = Object.values({ ...ALERTS, ...hubAlerts(["dev"]) }).flatMap((rules) => rules.map(({ expr }) => ["prometheus", expr] as const));

test.each([...asked, ...alerts])("%s: %s", (language, query) => {
  expect(errorsOf(language, query)).toEqual([]);
});

test.each([
  ["prometheus", "sum by (instance (up)"],
  ["loki", 'sum by (a (count_over_time({a="b"}[1m]))'],
  ["loki", '{a="b"} |~ (error)'],
] as const)("%s is told that this is none: %s", (language, query) => {
  expect(errorsOf(language, query)).not.toEqual([]);
});
