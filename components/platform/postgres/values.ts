/** The servers of the module postgres. */
import type { PostgresServers } from "../../base/postgres-spec";
import type { ImagePin } from "../pins";
import type { PostgresOptions } from "./options";

export const POSTGRES_IMAGE = {
  image: "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm",
  why: "Postgres 17 of CloudNativePG; its standard images have pgvector",
} as const satisfies ImagePin;

export const POSTGRES_NAMESPACE = "postgres";
/** Name of the `Cluster`. */
export const POSTGRES_CLUSTER = "postgres";
export const POSTGRES_PORT = 5432;
/** Of the instance manager in each pod, which the operator asks. */
export const STATUS_PORT = 8000;
export const CPU = "250m";

/** @param host full name under which clients outside the cluster reach the server that takes writes */
export const postgresServers = (options: Pick<PostgresOptions, "size" | "instances" | "memoryMiB">, storageClass: string, host: string): PostgresServers => ({
  instances: options.instances,
  image: POSTGRES_IMAGE.image,
  size: options.size,
  storageClass,
  resources: { cpu: CPU, memory: `${options.memoryMiB}Mi`, memoryLimit: `${options.memoryMiB * 2}Mi` },
  // A quarter of the memory, as Postgres recommends; logical decoding for what copies changes.
  parameters: { shared_buffers: `${Math.floor(options.memoryMiB / 4)}MB`, wal_level: "logical" },
  host,
});
