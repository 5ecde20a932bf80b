import { defineModule } from "../module";
import { natsOptions } from "./options";
import { NATS_CHART, NATS_NAMESPACE, NATS_PORT, natsValues, usersOf, usersSecret } from "./values";

export const nats = defineModule({
  name: "nats",
  summary: "messages and streams at nats.<domain>: each account by itself, and nobody without a user and its password",
  charts: { nats: NATS_CHART },
  options: natsOptions,
  provides: ["messages"],
  exceptions: (["readiness", "liveness"] as const).map((rule) => ({
    rule,
    workload: "nats",
    container: "prom-exporter",
    why: "the chart has no probes of the exporter of metrics",
  })),
  parts: ({ storageClass: own, ...options }, { domain, storageClass }) => ({
    namespaces: [NATS_NAMESPACE],
    needs: ["external-secrets", "cluster-access"],
    cluster: ["load-balancer"],
    storageClasses: [own ?? storageClass],
    hosts: [{ name: `nats.${domain}`, serves: "NATS, by its own protocol", route: "balancer" }],
    namespaceSecrets: [{ namespace: NATS_NAMESPACE, wanted: [usersSecret(options)] }],
    programSecrets: usersOf(options).map(({ path, key }) => ({ path, key, why: "the pod restarts when a password changes" })),
    flows: [{ direction: "in", peer: "homelab", port: NATS_PORT, why: "clients outside the cluster, by its balancer" }],
    workloads: [{ name: "nats", cpu: "110m", memory: "144Mi" }],
    volumes: [{ name: "streams", size: options.size }],
    values: { nats: natsValues({ storageClass: own ?? storageClass, options, host: `nats.${domain}`, credentialMark: "<digest of the passwords>" }) },
  }),
  build: () => (require("./nats") as typeof import("./nats")).buildNats,
});
