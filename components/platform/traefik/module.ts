import { defineModule, noOptions } from "../module";
import { TRAEFIK_CHART, TRAEFIK_CLASS, TRAEFIK_NAMESPACE, TRAEFIK_PORTS, TRAEFIK_RESOURCES, traefikValues } from "./values";

export const traefik = defineModule({
  name: "traefik",
  summary: "serves routes, on clusters that do not bring it; k3s does, kubeadm does not",
  charts: { traefik: TRAEFIK_CHART },
  options: noOptions,
  brings: ["ingress"],
  exceptions: [{ rule: "liveness-apart", why: "what is asked is its own server, which depends on nothing" }],
  parts: () => ({
    namespaces: [TRAEFIK_NAMESPACE],
    cluster: ["load-balancer"],
    offers: { storageClasses: [], ingressClasses: [TRAEFIK_CLASS] },
    routePorts: TRAEFIK_PORTS,
    flows: [
      ...TRAEFIK_PORTS.map((port) => ({ direction: "in" as const, peer: "homelab", port, why: "who opens a route, by its balancer" })),
      { direction: "out", peer: "cluster", port: 6443, why: "reads routes and certificates, writes their address" },
    ],
    workloads: [{ name: "traefik", ...TRAEFIK_RESOURCES }],
    values: { traefik: traefikValues() },
  }),
  build: () => (require("./traefik") as typeof import("./traefik")).buildTraefik,
});
