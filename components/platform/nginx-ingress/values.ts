/** Values of F5's chart nginx-ingress. */
import type { ChartPin } from "../pins";
import { sized } from "../sized";

export const NGINX_INGRESS_CHART = {
  repository: "https://helm.nginx.com/stable",
  name: "nginx-ingress",
  version: "2.6.4",
  kubeVersion: ">= 1.25.0-0",
  crdsFolder: "leave-out",
  why: "F5's controller 5.5, which is maintained: the community's ingress-nginx was retired in March 2026",
} as const satisfies ChartPin;

export const NGINX_INGRESS_NAMESPACE = "nginx-ingress";
export const NGINX_CLASS = "nginx";
export const NGINX_PORTS = [80, 443] as const;
export const NGINX_RESOURCES = { cpu: "100m", memory: "128Mi" } as const;

export function nginxIngressValues() {
  return {
    controller: {
      ingressClass: { name: NGINX_CLASS, create: true, setAsDefaultIngress: false },
      // Routes here are Ingresses. Snippets would let the author of a route configure the whole server.
      enableCustomResources: false,
      enableSnippets: false,
      readOnlyRootFilesystem: true,
      // Keeps the client's address.
      service: { type: "LoadBalancer", externalTrafficPolicy: "Local" },
      telemetryReporting: { enable: false },
      resources: sized(NGINX_RESOURCES.cpu, NGINX_RESOURCES.memory, "512Mi"),
      initContainerResources: sized("10m", "32Mi", "64Mi"),
    },
    prometheus: { create: false },
  };
}
