import { defineModule, noOptions } from "../module";
import { BARMAN_CHART, BARMAN_RELEASE, barmanValues, CLOUDNATIVE_PG_CHART, CLOUDNATIVE_PG_NAMESPACE, cloudNativePgValues } from "./values";

const GROUP = "postgresql.cnpg.io";
const KINDS = [
  "backups",
  "clusterimagecatalogs",
  "clusters",
  "databaseroles",
  "databases",
  "failoverquorums",
  "imagecatalogs",
  "poolers",
  "publications",
  "scheduledbackups",
  "subscriptions",
];

export const cloudNativePg = defineModule({
  name: "cloudnative-pg",
  summary: "the operator that runs Postgres servers, with their databases, roles and backups",
  charts: { "cloudnative-pg": CLOUDNATIVE_PG_CHART, [BARMAN_RELEASE]: BARMAN_CHART },
  options: noOptions,
  crds: [...KINDS.map((kind) => `${kind}.${GROUP}`), "objectstores.barmancloud.cnpg.io"],
  exceptions: [
    { rule: "liveness-apart", workload: "cloudnative-pg", why: "it is its own webhook server that is asked, which depends on nothing" },
    { rule: "liveness", workload: BARMAN_RELEASE, why: "the chart has none" },
  ],
  parts: () => ({
    namespaces: [CLOUDNATIVE_PG_NAMESPACE],
    // Operator and plugin authenticate to each other by certificates.
    needs: ["certificates"],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads clusters and databases, makes their pods" },
      { direction: "in", peer: "cluster", port: 9443, why: "the API asks the webhook about each cluster and database" },
      { direction: "in", peer: CLOUDNATIVE_PG_NAMESPACE, port: 9090, why: "the operator asks the plugin of archives" },
    ],
    workloads: [
      { name: "operator", cpu: "50m", memory: "128Mi" },
      { name: "plugin of archives", cpu: "20m", memory: "64Mi" },
    ],
    values: { "cloudnative-pg": cloudNativePgValues(), [BARMAN_RELEASE]: barmanValues() },
  }),
  build: () => (require("./cloudnative-pg") as typeof import("./cloudnative-pg")).buildCloudNativePg,
});
