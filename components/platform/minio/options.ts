import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../option-types";

const ROOT = storePath("MINIO");
export const ROOT_USER = { path: ROOT, key: "rootUser" } as const;
export const ROOT_PASSWORD = { path: ROOT, key: "rootPassword" } as const;

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name: 3 to 63 of a-z, 0-9, . and -");

const options = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of its volume"),
  buckets: z
    .array(
      z.strictObject({
        name: bucketName,
        versioning: z.boolean().optional().describe("Whether it keeps older versions of its objects"),
      }),
    )
    .default([{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }])
    .describe("Buckets that are made: `name`, and `versioning: true` for one that keeps older versions of its objects"),
  users: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{2,62}$/, "must be an access key of 3 to 63 of a-z, 0-9 and -"),
      z.strictObject({ buckets: z.array(bucketName).min(1), may: z.enum(["read", "write"]).default("write"), path: z.string(), key: z.string() }),
    )
    .default({})
    .describe(
      "By access key: the `buckets` that it reaches, and no others; whether it `may` read or write there; `path` and `key` of its secret key in secrets/. Nobody but MinIO itself needs the root user",
    ),
});

/** Buckets that users refer to and `buckets` does not define. */
const unmade = ({ buckets, users }: z.output<typeof options>): string[] =>
  Object.entries(users).flatMap(([user, { buckets: own }]) =>
    own
      .filter((name) => !buckets.some((bucket) => bucket.name === name))
      .map((name) => `${user} reaches the bucket ${name}, which is not among those that are made`),
  );

export const minioOptions = options.superRefine((given, context) => {
  for (const message of unmade(given)) context.addIssue({ code: "custom", path: ["users"], message });
});

export type MinioOptions = z.output<typeof minioOptions>;
