/** Values of the chart external-secrets. */
import type { ChartPin } from "../pins";

export const EXTERNAL_SECRETS_CHART = {
  repository: "https://charts.external-secrets.io",
  name: "external-secrets",
  version: "2.9.0",
  kubeVersion: ">= 1.19.0-0",
  why: "the only minor version with support; it serves external-secrets.io/v1, and v1beta1 of the original no more",
} as const satisfies ChartPin;

export function externalSecretsValues() {
  return {
    installCRDs: true,
    livenessProbe: { enabled: true },
    readinessProbe: { enabled: true },
    webhook: { livenessProbe: { enabled: true } },
    certController: { livenessProbe: { enabled: true } },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
  };
}

/** Version of the API that this version of the chart serves. */
export const EXTERNAL_SECRETS_API = "external-secrets.io/v1";
