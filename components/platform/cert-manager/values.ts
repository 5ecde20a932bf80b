/** Values of the chart cert-manager. */
import type { ChartPin } from "../pins";

export const CERT_MANAGER_CHART = {
  repository: "https://charts.jetstack.io",
  name: "cert-manager",
  version: "v1.21.1",
  kubeVersion: ">= 1.22.0-0",
  why: "for Kubernetes 1.33 to 1.36; 1.16 of the original has no support since 2025. Since 1.18 a certificate gets a new key at each renewal",
} as const satisfies ChartPin;

export const CERT_MANAGER_NAMESPACE = "cert-manager";

export interface CertManagerValuesArgs {
  /** Resolvers for the checks of DNS-01, as `address:port`; none without DNS-01. */
  nameservers: readonly string[];
}

export function certManagerValues({ nameservers }: CertManagerValuesArgs) {
  return {
    // The chart's own CRDs. Helm keeps them when the release is deleted; otherwise all certificates would be deleted with them.
    crds: { enabled: true, keep: true },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    // The checks of DNS-01 use public resolvers, because Pi-hole answers for the same domain inside the homelab.
    ...(nameservers.length === 0 ? {} : { dns01RecursiveNameservers: nameservers.join(","), dns01RecursiveNameserversOnly: true }),
  };
}
