/** Values of the chart metallb. */
import type { ChartPin } from "../pins";
import { sized } from "../sized";

export const METALLB_CHART = {
  repository: "https://metallb.github.io/metallb",
  name: "metallb",
  version: "0.16.1",
  kubeVersion: ">= 1.19.0-0",
  why: "older ones have a schema that Kubernetes 1.36 refuses",
} as const satisfies ChartPin;

export const METALLB_NAMESPACE = "metallb-system";
export const METALLB_API = "metallb.io/v1beta1";
export const POOL = "homelab";

export function metallbValues() {
  return {
    // Addresses are announced in the nodes' own network (layer 2), and not to routers (BGP).
    frrk8s: { enabled: false },
    controller: { resources: sized("20m", "64Mi", "128Mi") },
    speaker: {
      // kubeadm excludes control planes from load balancers by a label, and there may be no other node.
      ignoreExcludeLB: true,
      resources: sized("20m", "64Mi", "128Mi"),
    },
  };
}

export const poolSpec = (addresses: readonly string[]) => ({ addresses: [...addresses], autoAssign: true, avoidBuggyIPs: true });
