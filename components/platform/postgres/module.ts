import { CLOUDNATIVE_PG_NAMESPACE } from "../cloudnative-pg/values";
import { defineModule } from "../module";
import { postgresOptions } from "./options";
import { CPU, POSTGRES_IMAGE, POSTGRES_NAMESPACE, POSTGRES_PORT, STATUS_PORT } from "./values";

export const postgres = defineModule({
  name: "postgres",
  summary: "Postgres with pgvector at postgres.<domain>: each database with an owner of its own",
  images: [POSTGRES_IMAGE],
  options: postgresOptions,
  provides: ["sql"],
  parts: ({ storageClass: own, size, instances, memoryMiB, databases }, { domain, storageClass }) => ({
    namespaces: [POSTGRES_NAMESPACE],
    needs: ["cloudnative-pg"],
    cluster: ["load-balancer"],
    storageClasses: [own ?? storageClass],
    hosts: [{ name: `postgres.${domain}`, serves: "Postgres, by its own protocol", route: "balancer" }],
    programSecrets: Object.values(databases).map(({ path, key }) => ({ path, key, why: "the Secret of a database's owner" })),
    flows: [
      { direction: "in", peer: "homelab", port: POSTGRES_PORT, why: "clients outside the cluster, by its balancer" },
      { direction: "in", peer: POSTGRES_NAMESPACE, port: POSTGRES_PORT, why: "servers follow the first one" },
      { direction: "in", peer: POSTGRES_NAMESPACE, port: STATUS_PORT, why: "servers ask one another how far they are" },
      { direction: "in", peer: CLOUDNATIVE_PG_NAMESPACE, port: STATUS_PORT, why: "the operator asks each server how it is" },
      { direction: "out", peer: "cluster", port: 6443, why: "each server reads its Cluster and writes its state" },
    ],
    workloads: [{ name: "server", replicas: instances, cpu: CPU, memory: `${memoryMiB}Mi` }],
    volumes: [{ name: "data", size, count: instances }],
  }),
  build: () => (require("./postgres") as typeof import("./postgres")).buildPostgres,
});
