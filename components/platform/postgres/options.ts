import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { postgresNameProblem } from "../../base/postgres-names";
import { schedule, shortHostName, volumeSize } from "../option-types";

const nameOf = (what: "database" | "owner") =>
  z.string().superRefine((name, context) => {
    const message = postgresNameProblem(what, name);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
const ENTRY = storePath("POSTGRES");

const serverName = z.string().regex(/^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$/, "must be a name of a-z, 0-9 and -");

const backup = z.strictObject({
  bucket: z.string().default("postgres-backups"),
  user: z.string().default("postgres-backups"),
  path: z.string().default(storePath("MINIO_USERS")),
  key: z.string().default("postgres-backups"),
  schedule: schedule(6, "0 0 3 * * *").default("0 0 3 * * *"),
  retention: z
    .string()
    .regex(/^[1-9]\d*[dwm]$/, "must be a time such as 30d, 8w or 3m")
    .default("30d"),
  server: serverName.optional(),
});

const restore = z.strictObject({
  server: serverName,
  until: z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-30T03:00:00Z" }).optional(),
});

export const postgresOptions = z
  .strictObject({
    host: shortHostName("dev.postgres").default("postgres").describe("Host name without the domain"),
    backup: backup
      .optional()
      .describe(
        "Backups to the homelab's object storage, with the write-ahead log, so that any moment can be restored: `bucket`, the `user` that reaches it and `path` and `key` of its secret key, `schedule` (six fields, seconds first), `retention`, and the name in the archive (`server`; default `<environment>-postgres`). Left out: none",
      ),
    restore: restore
      .optional()
      .describe(
        "New servers start with the data in the archive of `server`, as of the time `until` (left out: the newest). Needs `backup`, with another `server` for their own archive. Existing servers stay as they are",
      ),
    storageClass: z.string().optional().describe("Class of the servers' volumes. Left out: the cluster's own"),
    size: volumeSize.default("10Gi").describe("Size of each server's volume"),
    instances: z.int().min(1).max(5).default(1).describe("Servers: from two on one takes the other's place"),
    memoryMiB: z.int().min(256).default(512).describe("Memory that each server requests; its limit is twice that"),
    databases: z
      .record(
        nameOf("database"),
        z.strictObject({
          owner: nameOf("owner"),
          extensions: z.array(z.string().regex(/^[a-z][a-z0-9_-]*$/, "must be the name of an extension")).default([]),
          path: z.string(),
          key: z.string(),
        }),
      )
      .refine((databases) => Object.keys(databases).length > 0, "must have at least one database: the servers are made for the first")
      .refine((databases) => {
        const owners = Object.values(databases).map(({ owner }) => owner);
        return new Set(owners).size === owners.length;
      }, "must have an owner of its own for each database")
      .default({ apps: { owner: "apps", extensions: ["vector"], path: ENTRY, key: "POSTGRES_PASSWORD" } })
      .describe(
        "By name: the role that is its `owner`, its `extensions`, and `path` and `key` of the owner's password in secrets/. The servers are made for the first",
      ),
  })
  .refine(({ backup: own, restore: from }) => from === undefined || (own?.server !== undefined && own.server !== from.server), {
    path: ["restore"],
    error: "needs backup.server with another name than restore.server: otherwise it would overwrite the archive that it restores from",
  });

/** Name of the servers in the archive. */
export const archiveName = (options: { readonly backup?: { readonly server?: string | undefined } | undefined }, environment: string): string =>
  options.backup?.server ?? `${environment}-postgres`;

export type PostgresOptions = z.output<typeof postgresOptions>;
