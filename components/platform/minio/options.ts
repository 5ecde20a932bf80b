import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../volume-size";

const ROOT = storePath("MINIO");
export const ROOT_USER = { path: ROOT, key: "rootUser" } as const;
export const ROOT_PASSWORD = { path: ROOT, key: "rootPassword" } as const;

export const minioOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of its volume"),
  buckets: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name: 3 to 63 of a-z, 0-9, . and -"),
        versioning: z.boolean().optional().describe("Whether it keeps older versions of its objects"),
      }),
    )
    .default([{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }])
    .describe("Buckets that are made: `name`, and `versioning: true` for one that keeps older versions of its objects"),
});

export type MinioOptions = z.output<typeof minioOptions>;
