import { defineModule } from "../module";
import { minioOptions, ROOT_PASSWORD, ROOT_USER } from "./options";
import { MINIO_CHART, MINIO_CLIENT_IMAGE, MINIO_IMAGE, MINIO_NAMESPACE, minioValues } from "./values";

/** Whether each user's secret key comes from a Secret that homelab makes. */
const isOurs = (users: unknown): boolean =>
  Array.isArray(users) && users.every((user: { existingSecret?: unknown }) => typeof user.existingSecret === "string");

export const minio = defineModule({
  name: "minio",
  summary: "object storage: the API at s3.<domain>, the console at minio.<domain>",
  charts: { minio: MINIO_CHART },
  images: [MINIO_IMAGE, MINIO_CLIENT_IMAGE],
  options: minioOptions,
  provides: ["object-storage"],
  defaultCredentials: [{ path: "users", is: 'a user "console" with all rights', off: isOurs }],
  exceptions: [
    { rule: "readiness", workload: "minio", why: "the chart has no probes" },
    { rule: "liveness", workload: "minio", why: "the chart has no probes" },
    { rule: "read-only-root", why: "it keeps its settings beside its program" },
    ...(["non-root", "no-escalation", "capabilities", "seccomp"] as const).map((rule) => ({
      rule,
      workload: "minio-post-job",
      why: "a Job of the installation, which ends; it writes into the image's folders as their owner",
    })),
  ],
  parts: ({ storageClass: own, size, buckets, users }, { domain, storageClass, ingressClass }) => ({
    namespaces: [MINIO_NAMESPACE],
    // The Job that makes the buckets takes no security context for its container.
    podSecurity: { [MINIO_NAMESPACE]: "baseline" },
    uses: ["certificates"],
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
      ...Object.values(users).map(({ path, key }) => ({ path, key, why: "the Secret with the users' keys" })),
    ],
    flows: [
      { direction: "in", peer: "routes", port: 9000, why: "API" },
      { direction: "in", peer: "routes", port: 9001, why: "console" },
      { direction: "in", peer: MINIO_NAMESPACE, port: 9000, why: "the Job that makes buckets and users" },
    ],
    workloads: [{ name: "minio", cpu: "100m", memory: "256Mi" }],
    volumes: [{ name: "objects", size }],
    values: { minio: minioValues({ storageClass: own ?? storageClass, size, buckets, users, credentialMark: "<digest of the root credential>" }) },
  }),
  build: () => (require("./minio") as typeof import("./minio")).buildMinio,
});
