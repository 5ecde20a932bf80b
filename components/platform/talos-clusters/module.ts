import { defineModule } from "../module";
import { talosClustersOptions } from "./options";
import { CLUSTERS_NAMESPACE } from "./values";

const MACHINE = { cores: 2, memoryMiB: 4096, diskGiB: 20 } as const;

export const talosClusters = defineModule({
  name: "talos-clusters",
  summary: "further clusters of Talos on Proxmox, made by Cluster API; its providers come by the setting `homelab:clusterApi`",
  options: talosClustersOptions,
  // Its Cluster and MachineDeployment are of v1beta2.
  clusterApi: ">=1.11.0",
  example: {
    clusters: {
      testing: {
        kubernetes: "v1.34.2",
        talos: "v1.11.5",
        endpoint: "192.0.2.50",
        addresses: ["192.0.2.51-192.0.2.60"],
        prefix: 24,
        gateway: "192.0.2.1",
        dnsServers: ["192.0.2.3"],
        node: "pve",
        templateId: 103,
        controlPlanes: { count: 1, ...MACHINE },
        workers: { count: 2, ...MACHINE },
      },
    },
  },
  parts: ({ clusters }) => ({
    namespaces: [CLUSTERS_NAMESPACE],
    cluster: ["cluster-api"],
    addresses: Object.values(clusters).flatMap(({ endpoint, addresses }) => [`${endpoint}-${endpoint}`, ...addresses]),
  }),
  build: () => (require("./talos-clusters") as typeof import("./talos-clusters")).buildTalosClusters,
});
