/** Values of the chart cloudnative-pg. */
import type { ChartPin } from "../pins";

export const CLOUDNATIVE_PG_CHART = {
  repository: "https://cloudnative-pg.github.io/charts",
  name: "cloudnative-pg",
  version: "0.29.0",
  kubeVersion: ">=1.29.0-0",
  why: "CloudNativePG 1.30, tested with Kubernetes 1.34 to 1.36; in place of Bitnami's chart, whose images get no updates any more",
} as const satisfies ChartPin;

export const BARMAN_CHART = {
  repository: "https://cloudnative-pg.github.io/charts",
  name: "plugin-barman-cloud",
  version: "0.7.0",
  kubeVersion: ">=1.29.0-0",
  why: "the plugin that archives to object stores; what the operator has of its own for that goes with 1.31",
} as const satisfies ChartPin;
export const BARMAN_RELEASE = "plugin-barman-cloud";

export const CLOUDNATIVE_PG_NAMESPACE = "cnpg-system";

export function cloudNativePgValues() {
  return {
    // The CRDs are templates of the chart: an upgrade updates them, and Helm keeps them when the release is deleted.
    crds: { create: true },
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } },
  };
}

export const barmanValues = () => ({ crds: { create: true }, resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "128Mi" } } });
