import { CLOUDNATIVE_PG_NAMESPACE } from "../cloudnative-pg/values";
import { defineModule, type Flow } from "../module";
import { IMMICH_PATH, immichOptions } from "./options";
import {
  DATABASE_RESOURCES,
  IMMICH_NAMESPACE,
  IMMICH_VALKEY_IMAGE,
  immichImage,
  LEARNING,
  LEARNING_PORT,
  SERVER,
  SERVER_PORT,
  VALKEY,
  VALKEY_PORT,
  VECTORCHORD_IMAGE,
} from "./values";

const POSTGRES_PORT = 5432;
/** Port of the instance manager in each pod of Postgres. */
const STATUS_PORT = 8000;
const inside = (port: number, why: string): Flow => ({ direction: "in", peer: IMMICH_NAMESPACE, port, why });

export const immich = defineModule({
  name: "immich",
  upgrades: { by: "steps", steps: IMMICH_PATH },
  summary:
    "photos and films of the family at immich.<domain>: server, machine learning, database with VectorChord and Valkey; the library lies in a folder of the node",
  images: [
    { image: immichImage("server", "v2.6.3"), why: "the newest of version 2 that its chart 0.12 was tried with" },
    { image: immichImage("machine-learning", "v2.6.3"), why: "the server's own version: the two change together" },
    VECTORCHORD_IMAGE,
    IMMICH_VALKEY_IMAGE,
  ],
  options: immichOptions,
  example: { libraryPath: "/mnt/photos", librarySize: "500Gi" },
  exceptions: [{ rule: "read-only-root", workload: "immich-server", why: "it unpacks and transcodes beside its library" }],
  parts: ({ storageClass: own, databaseSize, cacheSize, librarySize, host, path }, { domain, storageClass, ingressClass }) => ({
    namespaces: [IMMICH_NAMESPACE],
    needs: ["cloudnative-pg"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: `${host}.${domain}`, serves: "Immich", route: "ingress" }],
    programSecrets: [
      { path, key: "DB_PASSWORD", why: "the Secret of the database's owner" },
      { path, key: "VALKEY_PASSWORD", why: "the Secret that Valkey and the server read" },
    ],
    flows: [
      { direction: "in", peer: "routes", port: SERVER_PORT, why: "its pages and its API" },
      inside(LEARNING_PORT, "the server asks the machine learning"),
      inside(POSTGRES_PORT, "the server asks its database"),
      inside(VALKEY_PORT, "the server keeps its queues"),
      { direction: "in", peer: CLOUDNATIVE_PG_NAMESPACE, port: STATUS_PORT, why: "the operator asks the database how it is" },
      { direction: "out", peer: "cluster", port: 6443, why: "the database reads its Cluster and writes its state" },
      { direction: "out", peer: "https://huggingface.co", port: 443, why: "downloads of models" },
    ],
    workloads: [
      { name: "server", ...SERVER },
      { name: "machine-learning", ...LEARNING },
      { name: "valkey", ...VALKEY },
      { name: "database", cpu: DATABASE_RESOURCES.cpu, memory: DATABASE_RESOURCES.memory },
    ],
    volumes: [
      { name: "database", size: databaseSize },
      { name: "models", size: cacheSize, disposable: true },
      { name: "library", size: librarySize, ownDisk: true },
    ],
  }),
  build: () => (require("./immich") as typeof import("./immich")).buildImmich,
});
