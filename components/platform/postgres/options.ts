import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../volume-size";

const name = z
  .string()
  .regex(/^(?!pg_|cnpg_|postgres$|streaming_replica$)[a-z_][a-z0-9_]{0,62}$/, "must be of a-z, 0-9 and _, and no name that Postgres keeps");
const ENTRY = storePath("POSTGRES");

export const postgresOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of the servers' volumes. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of each server's volume"),
  instances: z.int().min(1).max(5).default(1).describe("Servers: from two on one takes the other's place"),
  memoryMiB: z.int().min(256).default(512).describe("What each server gets"),
  databases: z
    .record(
      name,
      z.strictObject({
        owner: name,
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
});

export type PostgresOptions = z.output<typeof postgresOptions>;
