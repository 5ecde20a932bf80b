/** Values of the chart metrics-server. */
import type { ChartPin } from "../pins";
import type { MetricsServerOptions } from "./options";

export const METRICS_SERVER_CHART = {
  repository: "https://kubernetes-sigs.github.io/metrics-server",
  name: "metrics-server",
  version: "3.13.1",
  why: "metrics-server 0.8.1, for Kubernetes 1.31 and later",
} as const satisfies ChartPin;

export const METRICS_SERVER_NAMESPACE = "metrics-server";

export function metricsServerValues({ kubeletTls }: MetricsServerOptions) {
  return {
    args: kubeletTls === "self-signed" ? ["--kubelet-insecure-tls"] : [],
    // The API server verifies the certificate. The chart's default turns that off.
    tls: { type: "cert-manager" },
    apiService: { insecureSkipTLSVerify: false },
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } },
  };
}
