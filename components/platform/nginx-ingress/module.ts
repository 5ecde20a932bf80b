import { defineModule, noOptions } from "../module";
import { NGINX_CLASS, NGINX_INGRESS_CHART, NGINX_INGRESS_NAMESPACE, NGINX_PORTS, NGINX_RESOURCES, nginxIngressValues } from "./values";

export const nginxIngress = defineModule({
  name: "nginx-ingress",
  summary: "serves routes of the class nginx, for clusters whose routes are not Traefik's; its chart reads its schema from the internet when it is installed",
  charts: { "nginx-ingress": NGINX_INGRESS_CHART },
  options: noOptions,
  brings: ["ingress"],
  parts: () => ({
    namespaces: [NGINX_INGRESS_NAMESPACE],
    // It listens on ports 80 and 443 itself, by the one capability that `restricted` allows.
    cluster: ["load-balancer"],
    offers: { storageClasses: [], ingressClasses: [NGINX_CLASS] },
    routePorts: NGINX_PORTS,
    flows: [
      ...NGINX_PORTS.map((port) => ({ direction: "in" as const, peer: "homelab", port, why: "who opens a route, by its balancer" })),
      { direction: "out", peer: "cluster", port: 6443, why: "reads routes and certificates, writes their address" },
    ],
    workloads: [{ name: "controller", ...NGINX_RESOURCES }],
    values: { "nginx-ingress": nginxIngressValues() },
  }),
  build: () => (require("./nginx-ingress") as typeof import("./nginx-ingress")).buildNginxIngress,
});
