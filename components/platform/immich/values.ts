/**
 * Immich as our own objects. Its chart only wraps a library chart, whose values it has no schema for, and since 0.10 it contains neither
 * database nor queue.
 */
import type { PostgresServers } from "../../base/postgres-spec";
import { labelsOf, type Part } from "../part";
import type { ImagePin } from "../pins";
import { sized } from "../sized";
import { valkeyArgs } from "../valkey-args";
import type { ImmichOptions } from "./options";

export const IMMICH_NAMESPACE = "immich";
export const SERVER_PORT = 2283;
export const LEARNING_PORT = 3003;
export const VALKEY_PORT = 6379;
export const DATABASE = "immich";
/** Name of the database's `Cluster`. */
export const DATABASE_SERVERS = "immich-database";
export const LIBRARY_CLAIM = "immich-library";
export const CACHE_CLAIM = "immich-models";
/** Where the server looks for its library. */
const LIBRARY_MOUNT = "/data";

export const immichImage = (part: "server" | "machine-learning", version: ImmichOptions["version"]): string => `ghcr.io/immich-app/immich-${part}:${version}`;

/** VectorChord 0.4 for Postgres 17: Immich 1.133 and later take 0.3 and newer, below 2. */
export const VECTORCHORD_IMAGE = {
  image: "ghcr.io/tensorchord/cloudnative-vectorchord:17-0.4.3",
  why: "Postgres 17 of CloudNativePG with VectorChord, which took the place of pgvecto.rs",
} as const satisfies ImagePin;

export const IMMICH_VALKEY_IMAGE = {
  image: "docker.io/valkey/valkey:9.1-alpine@sha256:34f4f659e02a67cfdf3995d11ae432219c936005055b2cd39a042e86280e053e",
  why: "the one that Immich's own chart 0.12 names",
} as const satisfies ImagePin;

export const SERVER = { cpu: "500m", memory: "1Gi" } as const;
export const LEARNING = { cpu: "500m", memory: "1Gi" } as const;
export const VALKEY = { cpu: "50m", memory: "128Mi" } as const;
export const DATABASE_RESOURCES = { cpu: "250m", memory: "1Gi", memoryLimit: "2Gi" } as const;

export const immichServers = ({ databaseSize }: Pick<ImmichOptions, "databaseSize">, storageClass: string): PostgresServers => ({
  instances: 1,
  image: VECTORCHORD_IMAGE.image,
  size: databaseSize,
  storageClass,
  resources: DATABASE_RESOURCES,
  preload: ["vchord.so"],
  parameters: { shared_buffers: "256MB", max_wal_size: "2GB" },
});

/** In the order of their dependencies. */
export const IMMICH_EXTENSIONS = ["vector", "vchord", "cube", "earthdistance"] as const;

export interface PartsArgs<S> {
  readonly options: Pick<ImmichOptions, "version" | "owner">;
  readonly library: S;
  readonly database: { readonly secret: S };
  readonly valkey: { readonly secret: S };
  readonly credentials: S;
}

const NOBODY = 65_534;
/** User of the image valkey. */
const VALKEY_USER = 999;

/** Valkey holds the queues of jobs. Lost queues are created again. */
export const valkeyPart = <S>(secret: S, credentials: S): Part<S> => ({
  of: "immich",
  credentials,
  name: "immich-valkey",
  image: IMMICH_VALKEY_IMAGE.image,
  port: VALKEY_PORT,
  args: valkeyArgs("--save", "", "--maxmemory", "96mb", "--maxmemory-policy", "noeviction"),
  environment: { PASSWORD: { secret, key: "password" } },
  resources: sized(VALKEY.cpu, VALKEY.memory, "256Mi"),
  user: VALKEY_USER,
  mounts: { "/data": "empty" },
});

export const learningPart = <S>(version: ImmichOptions["version"], models: S): Part<S> => ({
  of: "immich",
  name: "immich-machine-learning",
  image: immichImage("machine-learning", version),
  port: LEARNING_PORT,
  healthPath: "/ping",
  environment: { TRANSFORMERS_CACHE: "/cache", HF_XET_CACHE: "/cache/huggingface-xet", MPLCONFIGDIR: "/cache/matplotlib-config" },
  resources: sized(LEARNING.cpu, LEARNING.memory, "4Gi"),
  user: NOBODY,
  mounts: { "/cache": { claim: models }, "/tmp": "empty" },
});

export const serverPart = <S>({ options: { version, owner }, library, database, valkey, credentials }: PartsArgs<S>): Part<S> => ({
  of: "immich",
  credentials,
  name: "immich-server",
  image: immichImage("server", version),
  port: SERVER_PORT,
  healthPath: "/api/server/ping",
  environment: {
    DB_HOSTNAME: `${DATABASE_SERVERS}-rw`,
    DB_DATABASE_NAME: DATABASE,
    DB_USERNAME: { secret: database.secret, key: "username" },
    DB_PASSWORD: { secret: database.secret, key: "password" },
    DB_VECTOR_EXTENSION: "vectorchord",
    REDIS_HOSTNAME: "immich-valkey",
    REDIS_PASSWORD: { secret: valkey.secret, key: "password" },
    IMMICH_MACHINE_LEARNING_URL: `http://immich-machine-learning:${LEARNING_PORT}`,
    IMMICH_MEDIA_LOCATION: LIBRARY_MOUNT,
  },
  resources: sized(SERVER.cpu, SERVER.memory, "4Gi"),
  user: owner,
  // The server unpacks and transcodes outside of its volumes.
  writesRoot: true,
  mounts: { [LIBRARY_MOUNT]: { claim: library }, "/tmp": "empty" },
});

/** The folder on the node as a volume. It stays when the claim is deleted, and is not created where it is missing. */
export const libraryVolume = (
  { libraryPath, librarySize }: Pick<ImmichOptions, "libraryPath" | "librarySize">,
  claim: { name: string; namespace: string },
) => ({
  metadata: { name: claim.name, labels: labelsOf("immich", "immich-server") },
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: librarySize },
    hostPath: { path: libraryPath, type: "Directory" },
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim },
  },
});
