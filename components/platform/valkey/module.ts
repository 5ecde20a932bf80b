import { defineModule } from "../module";
import { valkeyOptions } from "./options";
import { usersSecret, VALKEY_CHART, VALKEY_NAMESPACE, VALKEY_PORT, valkeyValues } from "./values";

export const valkey = defineModule({
  name: "valkey",
  summary: "values in memory, by the protocol of Redis, at redis.<domain>: each user reaches its own keys, and there is no default user",
  charts: { valkey: VALKEY_CHART },
  options: valkeyOptions,
  provides: ["redis"],
  parts: ({ storageClass: own, ...options }, { domain, storageClass }) => ({
    namespaces: [VALKEY_NAMESPACE],
    needs: ["external-secrets", "cluster-access"],
    cluster: ["load-balancer"],
    storageClasses: [own ?? storageClass],
    hosts: [{ name: `redis.${domain}`, serves: "Valkey, by the protocol of Redis", route: "balancer" }],
    namespaceSecrets: [{ namespace: VALKEY_NAMESPACE, wanted: [usersSecret(options)] }],
    programSecrets: Object.values(options.users).map(({ path, key }) => ({ path, key, why: "the pod restarts when a password changes" })),
    flows: [{ direction: "in", peer: "homelab", port: VALKEY_PORT, why: "clients outside the cluster, by its balancer" }],
    workloads: [{ name: "valkey", cpu: "100m", memory: `${options.memoryMiB}Mi` }],
    volumes: [{ name: "values", size: options.size }],
    values: {
      valkey: valkeyValues({ storageClass: own ?? storageClass, options, host: `redis.${domain}`, credentialMark: "<digest of the passwords>" }),
    },
  }),
  build: () => (require("./valkey") as typeof import("./valkey")).buildValkey,
});
