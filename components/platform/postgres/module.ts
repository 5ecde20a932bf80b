import { CLOUDNATIVE_PG_NAMESPACE } from "../cloudnative-pg/values";
import { defineModule } from "../module";
import { postgresOptions } from "./options";
import { CPU, objectStorage, POSTGRES_IMAGE, POSTGRES_NAMESPACE, POSTGRES_PORT, STATUS_PORT } from "./values";

export const postgres = defineModule({
  name: "postgres",
  summary: "Postgres with pgvector at postgres.<domain>, or another name: each database with an owner of its own, and backups to object storage",
  images: [POSTGRES_IMAGE],
  options: postgresOptions,
  provides: ["sql"],
  parts: ({ storageClass: own, size, instances, memoryMiB, databases, host, backup }, { domain, storageClass }) => ({
    namespaces: [POSTGRES_NAMESPACE],
    needs: ["cloudnative-pg"],
    // The first backup is made at once.
    after: backup === undefined ? [] : ["object-storage"],
    cluster: ["load-balancer"],
    storageClasses: [own ?? storageClass],
    hosts: [{ name: `${host}.${domain}`, serves: "Postgres, by its own protocol", route: "balancer" }],
    programSecrets: [
      ...Object.values(databases).map(({ path, key }) => ({ path, key, why: "the Secret of a database's owner" })),
      ...(backup === undefined ? [] : [{ path: backup.path, key: backup.key, why: "the Secret with the keys of the archive's user" }]),
    ],
    flows: [
      { direction: "in", peer: "homelab", port: POSTGRES_PORT, why: "clients outside the cluster, by its balancer" },
      { direction: "in", peer: POSTGRES_NAMESPACE, port: POSTGRES_PORT, why: "servers follow the first one" },
      { direction: "in", peer: POSTGRES_NAMESPACE, port: STATUS_PORT, why: "servers ask one another how far they are" },
      { direction: "in", peer: CLOUDNATIVE_PG_NAMESPACE, port: STATUS_PORT, why: "the operator asks each server how it is" },
      { direction: "out", peer: "cluster", port: 6443, why: "each server reads its Cluster and writes its state" },
      ...(backup === undefined ? [] : [{ direction: "out" as const, peer: objectStorage(domain), port: 443, why: "backups and the write-ahead log" }]),
    ],
    workloads: [{ name: "server", replicas: instances, cpu: CPU, memory: `${memoryMiB}Mi` }],
    volumes: [{ name: "data", size, count: instances }],
  }),
  build: () => (require("./postgres") as typeof import("./postgres")).buildPostgres,
});
