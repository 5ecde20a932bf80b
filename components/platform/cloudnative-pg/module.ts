import { defineModule, noOptions } from "../module";
import { CLOUDNATIVE_PG_CHART, CLOUDNATIVE_PG_NAMESPACE, cloudNativePgValues } from "./values";

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
  charts: { "cloudnative-pg": CLOUDNATIVE_PG_CHART },
  options: noOptions,
  crds: KINDS.map((kind) => `${kind}.${GROUP}`),
  exceptions: [{ rule: "liveness-apart", why: "it is its own webhook server that is asked, which depends on nothing" }],
  parts: () => ({
    namespaces: [CLOUDNATIVE_PG_NAMESPACE],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads clusters and databases, makes their pods" },
      { direction: "in", peer: "cluster", port: 9443, why: "the API asks the webhook about each cluster and database" },
    ],
    workloads: [{ name: "operator", cpu: "50m", memory: "128Mi" }],
    values: { "cloudnative-pg": cloudNativePgValues() },
  }),
  build: () => (require("./cloudnative-pg") as typeof import("./cloudnative-pg")).buildCloudNativePg,
});
