/** The chart prometheus-operator-crds. */
import type { ChartPin } from "../pins";

export const PROMETHEUS_OPERATOR_CRDS_CHART = {
  repository: "https://prometheus-community.github.io/helm-charts",
  name: "prometheus-operator-crds",
  version: "31.0.1",
  why: "the resource kinds of operator v0.93.1, which kube-prometheus-stack 88.5.3 has",
} as const satisfies ChartPin;

/** Namespace of the release only: it makes no objects in a namespace. */
export const PROMETHEUS_OPERATOR_CRDS_NAMESPACE = "prometheus-operator-crds";
