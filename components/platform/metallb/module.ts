import { defineModule } from "../module";
import { metallbOptions } from "./options";
import { METALLB_CHART, METALLB_NAMESPACE, metallbValues } from "./values";

const KINDS = [
  "bfdprofiles",
  "bgpadvertisements",
  "bgppeers",
  "communities",
  "configurationstates",
  "ipaddresspools",
  "l2advertisements",
  "servicebgpstatuses",
  "servicel2statuses",
];

export const metallb = defineModule({
  name: "metallb",
  summary: "addresses for Services of the type LoadBalancer, on clusters that do not bring it; k3s does, kubeadm does not",
  charts: { metallb: METALLB_CHART },
  options: metallbOptions,
  example: { addresses: ["10.20.0.200-10.20.0.220"] },
  brings: ["load-balancer"],
  exceptions: [
    { rule: "host-access", workload: "metallb-speaker", why: "it answers for addresses in the nodes' own network" },
    { rule: "capabilities", workload: "metallb-speaker", why: "it sends answers that no socket of a program can send" },
    { rule: "non-root", workload: "metallb-speaker", why: "as above" },
    { rule: "seccomp", why: "the chart has no place for it" },
    { rule: "liveness-apart", why: "its server of measurements is what is asked, which depends on nothing" },
  ],
  crds: KINDS.map((kind) => `${kind}.metallb.io`),
  parts: ({ addresses }) => ({
    namespaces: [METALLB_NAMESPACE],
    podSecurity: { [METALLB_NAMESPACE]: "privileged" },
    addresses,
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads Services, writes their addresses" },
      { direction: "in", peer: "cluster", port: 9443, why: "the API asks the webhook about each pool" },
      { direction: "in", of: "node", peer: "homelab", port: 7946, why: "speakers agree on who answers for an address" },
    ],
    workloads: [
      { name: "controller", cpu: "20m", memory: "64Mi" },
      { name: "speaker", cpu: "20m", memory: "64Mi" },
    ],
    values: { metallb: metallbValues() },
  }),
  build: () => (require("./metallb") as typeof import("./metallb")).buildMetallb,
});
