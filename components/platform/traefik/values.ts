/** Values of the chart traefik. */
import type { ChartPin } from "../pins";
import { sized } from "../sized";

export const TRAEFIK_CHART = {
  repository: "https://traefik.github.io/charts",
  name: "traefik",
  version: "41.3.0",
  kubeVersion: ">=1.25.0-0",
  crdsFolder: "leave-out",
  why: "Traefik v3.7; in place of the community's ingress-nginx, which was retired in March 2026",
} as const satisfies ChartPin;

export const TRAEFIK_NAMESPACE = "traefik";
export const TRAEFIK_CLASS = "traefik";
/** Ports of its pods, for the ports 80 and 443 of its Service. */
export const TRAEFIK_PORTS = [8000, 8443] as const;
export const TRAEFIK_RESOURCES = { cpu: "100m", memory: "128Mi" } as const;

export function traefikValues() {
  return {
    ingressClass: { enabled: true, isDefaultClass: true, name: TRAEFIK_CLASS },
    // Routes here are Ingresses. Nothing uses Traefik's own kinds, or those of the Gateway API.
    providers: { kubernetesCRD: { enabled: false }, kubernetesIngress: { publishedService: { enabled: true } } },
    gateway: { enabled: false },
    gatewayClass: { enabled: false },
    ports: { web: { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } } },
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    api: { dashboard: false },
    resources: sized(TRAEFIK_RESOURCES.cpu, TRAEFIK_RESOURCES.memory, "256Mi"),
  };
}
