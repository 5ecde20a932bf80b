import { z } from "zod";
import { defineModule, volumeSize } from "../module";
import { MINIO_CHART, minioValues } from "./values";

const ROOT = "cluster-secret-store/secrets/MINIO";
export const ROOT_USER = { path: ROOT, key: "rootUser" } as const;
export const ROOT_PASSWORD = { path: ROOT, key: "rootPassword" } as const;

const options = z.strictObject({
  /** Default: the environment's. */
  storageClass: z.string().optional(),
  size: volumeSize.default("10Gi"),
  buckets: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name: 3 to 63 of a-z, 0-9, . and -"),
        /** Whether it keeps older versions of its objects. */
        versioning: z.boolean().optional(),
      }),
    )
    .default([{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }]),
});

export const minio = defineModule({
  name: "minio",
  summary: "object storage: the API at s3.<domain>, the console at minio.<domain>",
  charts: { minio: MINIO_CHART },
  options,
  provides: ["object-storage"],
  defaultCredentials: [{ path: "users", is: 'a user "console" with all rights', off: (users) => Array.isArray(users) && users.length === 0 }],
  parts: ({ storageClass: own, size, buckets }, { domain, storageClass, ingressClass }) => ({
    namespaces: ["minio"],
    needs: ["certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [
      { name: `s3.${domain}`, serves: "MinIO's API", route: "ingress" },
      { name: `minio.${domain}`, serves: "MinIO's console", route: "ingress" },
    ],
    programSecrets: [
      { ...ROOT_USER, why: "the Secret of the root user" },
      { ...ROOT_PASSWORD, why: "the Secret of the root user" },
    ],
    flows: [
      { direction: "in", peer: "routes", port: 9000, why: "API" },
      { direction: "in", peer: "routes", port: 9001, why: "console" },
    ],
    values: { minio: minioValues({ storageClass: own ?? storageClass, size, buckets, credentialMark: "<digest of the root credential>" }) },
  }),
});
