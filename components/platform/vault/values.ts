/** Values of the chart vault. The route is our own (WebIngress), not the chart's. */
import type { ChartPin, ImagePin } from "../pins";

export const VAULT_CHART = {
  repository: "https://helm.releases.hashicorp.com",
  name: "vault",
  version: "0.34.1",
  kubeVersion: ">= 1.20.0-0",
  why: "tested by its makers with Vault 1.21.9 and Kubernetes 1.32 to 1.36",
} as const satisfies ChartPin;

/** The chart's default is 2.0.4, the next major version. */
const TAG = "1.21.9";
export const VAULT_IMAGE = {
  image: `hashicorp/vault:${TAG}`,
  why: "the last 1.x that the chart is tested with; 2.0 comes when the provider and the first boot have passed on it",
} as const satisfies ImagePin;

export const VAULT_NAMESPACE = "vault";
/** Its StatefulSet, whose update strategy is `OnDelete`. */
export const VAULT_SET = "vault";

export interface VaultValuesArgs {
  /** Class of both volumes. */
  storageClass: string;
  /** Size of the volume with the entries. */
  size: string;
  /** Size of the volume with the audit log. */
  auditSize: string;
}

export function vaultValues({ storageClass, size, auditSize }: VaultValuesArgs) {
  return {
    // Secrets reach pods by External Secrets.
    injector: { enabled: false },
    ui: { enabled: true },
    server: {
      image: { tag: TAG },
      standalone: { enabled: true },
      dataStorage: { enabled: true, size, storageClass },
      auditStorage: { enabled: true, size: auditSize, storageClass },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      ingress: { enabled: false },
    },
  };
}
