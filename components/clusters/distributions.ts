/** What a distribution of Kubernetes provides, without the parts that are disabled. Loads no Pulumi SDK. */
import type { ClusterCapability } from "../platform/module";
import type { DistributionName, RoutePods } from "./cluster-types";

/** k3s's own (its chart traefik: `web` and `websecure`). */
const TRAEFIK: RoutePods = { namespace: "kube-system", labels: { "app.kubernetes.io/name": "traefik" }, ports: [8000, 8443] };

/** What a cluster provides for modules. */
export interface ClusterOffer {
  readonly capabilities: readonly ClusterCapability[];
  readonly storageClasses: readonly string[];
  readonly ingressClasses: readonly string[];
  /** Pods that serve routes. */
  readonly routePods?: RoutePods;
}

const NONE: ClusterOffer = { capabilities: [], storageClasses: [], ingressClasses: [] };

/** By name, as in `homelab:k3sDisable`. Parts with another name cannot be disabled. */
const PARTS: Readonly<Record<DistributionName, Readonly<Record<string, Partial<ClusterOffer>>>>> = {
  k3s: {
    traefik: { capabilities: ["ingress"], ingressClasses: ["traefik"], routePods: TRAEFIK },
    servicelb: { capabilities: ["load-balancer"] },
    "local-storage": { storageClasses: ["local-path"] },
    "metrics-server": { capabilities: ["metrics"] },
    "the network policy controller": { capabilities: ["network-policy"] },
  },
  kubeadm: { Cilium: { capabilities: ["network-policy"] } },
};

const withRoutes = (routePods: RoutePods | undefined): Pick<ClusterOffer, "routePods"> => (routePods === undefined ? {} : { routePods });

/** What a cluster of this distribution provides before any module is built. @param without names of disabled parts */
export function clusterOffer(distribution: DistributionName, without: readonly string[] = []): ClusterOffer {
  return Object.entries(PARTS[distribution])
    .filter(([part]) => !without.includes(part))
    .reduce<ClusterOffer>(
      (all, [, part]) => ({
        capabilities: [...all.capabilities, ...(part.capabilities ?? [])],
        storageClasses: [...all.storageClasses, ...(part.storageClasses ?? [])],
        ingressClasses: [...all.ingressClasses, ...(part.ingressClasses ?? [])],
        ...withRoutes(part.routePods ?? all.routePods),
      }),
      NONE,
    );
}
