import { defineModule, noOptions } from "../module";
import { PROMETHEUS_OPERATOR_CRDS_CHART, PROMETHEUS_OPERATOR_CRDS_NAMESPACE } from "./values";

const KINDS = [
  "alertmanagerconfigs",
  "alertmanagers",
  "podmonitors",
  "probes",
  "prometheusagents",
  "prometheuses",
  "prometheusrules",
  "scrapeconfigs",
  "servicemonitors",
  "thanosrulers",
];

export const prometheusOperatorCrds = defineModule({
  name: "prometheus-operator-crds",
  summary: "the Prometheus operator's resource kinds for scraping and alerts, as a release of their own: so Helm upgrades them with each version",
  charts: { "prometheus-operator-crds": PROMETHEUS_OPERATOR_CRDS_CHART },
  options: noOptions,
  crds: KINDS.map((kind) => `${kind}.monitoring.coreos.com`),
  parts: () => ({ namespaces: [PROMETHEUS_OPERATOR_CRDS_NAMESPACE], values: { "prometheus-operator-crds": {} } }),
  build: () => (require("./prometheus-operator-crds") as typeof import("./prometheus-operator-crds")).buildPrometheusOperatorCrds,
});
