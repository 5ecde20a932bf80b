import { defineModule } from "../module";
import { istioOptions } from "./options";
import { ISTIO_CHARTS, ISTIO_CNI_NAMESPACE, ISTIO_CRDS, ISTIO_GATEWAY, ISTIO_MESH, ISTIO_NAMESPACE, istioValues } from "./values";

export const istio = defineModule({
  name: "istio",
  summary:
    "routes by Istio's gateway in place of the cluster's ingress controller, and a mesh of all applications: they speak to each other by TLS of both sides, and only as their flows are declared",
  charts: ISTIO_CHARTS,
  options: istioOptions,
  provides: ["service-mesh"],
  brings: ["ingress"],
  gateway: ISTIO_GATEWAY,
  mesh: ISTIO_MESH,
  crds: ISTIO_CRDS,
  exceptions: [
    { rule: "liveness", workload: "istiod", why: "the chart has none; istiod ends by itself when it cannot go on" },
    ...(["readiness", "liveness"] as const).map((rule) => ({
      rule,
      workload: "istio-ingressgateway",
      why: "istiod's webhook puts in the proxy's own, with its image",
    })),
    { rule: "image-version", workload: "istio-ingressgateway", why: "istiod's webhook puts in the proxy of its own version" },
    { rule: "liveness", workload: "istio-cni-node", why: "the chart has none; it does its work for each new pod, and ends where it cannot" },
    ...(["non-root", "no-escalation", "capabilities", "read-only-root", "host-access"] as const).map((rule) => ({
      rule,
      workload: "istio-cni-node",
      why: "it enters the network of each new pod on its node, and writes the node's network plugins: no pod of the mesh has to be able to",
    })),
  ],
  parts: (options, { distribution, routeNames }) => ({
    namespaces: [ISTIO_NAMESPACE, ISTIO_CNI_NAMESPACE],
    // The plugin enters the network namespace of each new pod on its node.
    podSecurity: { [ISTIO_CNI_NAMESPACE]: "privileged" },
    uses: routeNames.length === 0 ? [] : ["certificates"],
    cluster: ["load-balancer"],
    flows: [
      { direction: "in", peer: "homelab", port: 80, why: "routes: leads to HTTPS" },
      { direction: "in", peer: "homelab", port: 443, why: "routes" },
      { direction: "in", peer: "cluster", port: 15017, why: "the API asks the webhooks about each pod of the mesh, and each rule" },
      { direction: "in", peer: ISTIO_NAMESPACE, port: ISTIO_MESH.port, why: "the gateway asks for routes and certificates" },
      { direction: "out", peer: "cluster", port: 6443, why: "istiod watches routes, rules and pods" },
      { of: ISTIO_CNI_NAMESPACE, direction: "out", peer: "cluster", port: 6443, why: "asks about each new pod" },
    ],
    workloads: [
      { name: "istiod", cpu: "100m", memory: "128Mi" },
      { name: "gateway", replicas: options.gateways, cpu: "50m", memory: "64Mi" },
      { name: "cni", namespace: ISTIO_CNI_NAMESPACE, cpu: "10m", memory: "64Mi" },
    ],
    values: istioValues(options, distribution),
  }),
  build: () => (require("./istio") as typeof import("./istio")).buildIstio,
});
