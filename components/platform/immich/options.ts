import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { nodeFolder, shortHostName, volumeSize } from "../option-types";

interface Step {
  readonly version: string;
  /** Why the step is needed. */
  readonly why: string;
}

/**
 * The steps by which a library is migrated from the original system. Version and database are changed one at a time (release notes of
 * Immich). The first step is done there, on the database with pgvecto.rs. Then its dump is restored into the database here.
 */
export const IMMICH_PATH = [
  { version: "v1.132.3", why: "the last version that can be upgraded to 1.133, which changes the schema" },
  { version: "v1.136.0", why: "knows pgvecto.rs and VectorChord, and moves the vectors from one to the other" },
  { version: "v1.137.3", why: "the one before version 2, which takes no older library" },
  { version: "v2.6.3", why: "version 2; version 3 needs VectorChord, which is in place by then" },
] as const satisfies readonly Step[];

/** Versions that work with VectorChord, and so can run here. */
export const IMMICH_STEPS = ["v1.136.0", "v1.137.3", "v2.6.3"] as const satisfies readonly (typeof IMMICH_PATH)[number]["version"][];

export const immichOptions = z.strictObject({
  version: z
    .enum(IMMICH_STEPS)
    .default("v2.6.3")
    .describe(
      "Version of the server and of the machine learning. A library of an older one goes through each step between, with an `up` for each; a new one begins with the last",
    ),
  libraryPath: nodeFolder("/mnt/photos").describe(
    "Folder of the node in which photos and films lie. It must be there: a disk that is not mounted stops the server, and is never filled in its place",
  ),
  librarySize: volumeSize.describe("What the disk has for it"),
  owner: z.int().min(1).max(2_147_483_647).default(1001).describe("User and group id that the folder belongs to"),
  databaseSize: volumeSize.default("20Gi").describe("Size of the volume of its database"),
  cacheSize: volumeSize.default("10Gi").describe("Size of the volume with the models of the machine learning; they are downloaded again when it is lost"),
  storageClass: z.string().optional().describe("Class of the volumes of database and models. Left out: the cluster's own"),
  host: shortHostName("immich").default("immich").describe("Host name without the domain"),
  path: z.string().default(storePath("IMMICH")).describe("Entry of secrets/ with its passwords: `DB_PASSWORD` and `VALKEY_PASSWORD`"),
});

export type ImmichOptions = z.output<typeof immichOptions>;
