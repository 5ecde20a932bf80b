/** The servers of the module postgres. */
import type { PostgresBackup, PostgresServers } from "../../base/postgres-spec";
import type { ImagePin } from "../pins";
import type { Place } from "../place";
import { archiveName, type PostgresOptions } from "./options";

export const POSTGRES_IMAGE = {
  image: "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm",
  why: "Postgres 17 of CloudNativePG; its standard images have pgvector",
} as const satisfies ImagePin;

export const POSTGRES_NAMESPACE = "postgres";
/** Name of the `Cluster`. */
export const POSTGRES_CLUSTER = "postgres";
export const POSTGRES_PORT = 5432;
/** Port of the instance manager in each pod, for the operator. */
export const STATUS_PORT = 8000;
export const CPU = "250m";

/** Secret with the keys of the archive's user, and Secret with the authority to trust there. */
export const BACKUP_SECRET = "postgres-backups";
export const AUTHORITY_SECRET = "postgres-backups-authority";
/** URL of the homelab's object storage. */
export const objectStorage = (domain: string): string => `https://s3.${domain}`;

/** @param secrets names of the Secrets with the keys and the authority. Without `authority`, the public authorities are trusted */
export const postgresBackup = (
  options: Pick<PostgresOptions, "backup">,
  { domain, environment }: Pick<Place, "domain" | "environment">,
  secrets: { readonly keys: PostgresBackup["secret"]; readonly authority: PostgresBackup["secret"] | undefined },
): PostgresBackup | undefined =>
  options.backup === undefined
    ? undefined
    : {
        destination: `s3://${options.backup.bucket}/`,
        endpoint: objectStorage(domain),
        secret: secrets.keys,
        ...(secrets.authority === undefined ? {} : { authority: secrets.authority }),
        server: archiveName(options, environment),
        schedule: options.backup.schedule,
        retention: options.backup.retention,
      };

/** @param host full name under which clients outside the cluster reach the server that takes writes */
export const postgresServers = (
  options: Pick<PostgresOptions, "size" | "instances" | "memoryMiB" | "restore">,
  storageClass: string,
  host: string,
  backup?: PostgresBackup,
): PostgresServers => ({
  instances: options.instances,
  image: POSTGRES_IMAGE.image,
  size: options.size,
  storageClass,
  resources: { cpu: CPU, memory: `${options.memoryMiB}Mi`, memoryLimit: `${options.memoryMiB * 2}Mi` },
  // A quarter of the memory, as Postgres recommends. `logical` allows replication of changes to other systems.
  parameters: { shared_buffers: `${Math.floor(options.memoryMiB / 4)}MB`, wal_level: "logical" },
  host,
  ...(backup === undefined ? {} : { backup }),
  ...(options.restore === undefined ? {} : { restore: options.restore }),
});
