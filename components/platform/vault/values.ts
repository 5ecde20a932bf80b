/** Values of the chart vault. The route is ours (WebIngress), not the chart's. */
import type { ChartPin } from "../pins";

export const VAULT_CHART = {
  repository: "https://helm.releases.hashicorp.com",
  name: "vault",
  version: "0.29.1",
  why: "version of the original system",
} as const satisfies ChartPin;

export const VAULT_NAMESPACE = "vault";

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
      standalone: { enabled: true },
      dataStorage: { enabled: true, size, storageClass },
      auditStorage: { enabled: true, size: auditSize, storageClass },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      ingress: { enabled: false },
    },
  };
}
