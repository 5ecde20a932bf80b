/** Values of the chart external-secrets. */
import type { ChartPin } from "../pins";

export const EXTERNAL_SECRETS_CHART = {
  repository: "https://charts.external-secrets.io",
  name: "external-secrets",
  version: "0.12.1",
  why: "version of the original system; its CRDs are served as external-secrets.io/v1beta1, v1 comes with 0.16",
} as const satisfies ChartPin;

export function externalSecretsValues() {
  return {
    installCRDs: true,
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
  };
}

/** Version of the API that this version of the chart serves. */
export const EXTERNAL_SECRETS_API = "external-secrets.io/v1beta1";
