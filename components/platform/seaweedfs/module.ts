import { ROOT_PASSWORD, ROOT_USER } from "../minio/options";
import { defineModule } from "../module";
import { seaweedfsOptions } from "./options";
import { INNER_PORTS, REQUESTS, S3_PORT, SEAWEEDFS_CHART, SEAWEEDFS_NAMESPACE, seaweedfsValues } from "./values";

export const seaweedfs = defineModule({
  name: "seaweedfs",
  summary: "object storage in MinIO's place, with the same options: the API at s3.<domain>",
  charts: { seaweedfs: SEAWEEDFS_CHART },
  options: seaweedfsOptions,
  provides: ["object-storage"],
  exceptions: [
    { rule: "read-only-root", why: "it keeps its logs beside its program" },
    ...(["non-root", "no-escalation", "capabilities", "seccomp"] as const).map((rule) => ({
      rule,
      workload: "seaweedfs-bucket-hook",
      why: "a Job of the installation, which ends; the chart gives it no security context",
    })),
  ],
  parts: ({ storageClass: own, size, buckets, users }, { domain, storageClass, ingressClass }) => ({
    namespaces: [SEAWEEDFS_NAMESPACE],
    // The Job that makes the buckets takes no security context for its container.
    podSecurity: { [SEAWEEDFS_NAMESPACE]: "baseline" },
    uses: ["certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: `s3.${domain}`, serves: "SeaweedFS's API of S3", route: "ingress" }],
    programSecrets: [
      { ...ROOT_USER, why: "the Secret with users and their rights" },
      { ...ROOT_PASSWORD, why: "the Secret with users and their rights" },
      ...Object.values(users).map(({ path, key }) => ({ path, key, why: "the Secret with users and their rights" })),
    ],
    flows: [
      { direction: "in", peer: "routes", port: S3_PORT, why: "API" },
      ...INNER_PORTS.map((port) => ({ direction: "in" as const, peer: SEAWEEDFS_NAMESPACE, port, why: "the Job that makes buckets" })),
    ],
    workloads: [{ name: "seaweedfs", ...REQUESTS }],
    volumes: [{ name: "objects", size }],
    values: { seaweedfs: seaweedfsValues({ storageClass: own ?? storageClass, size, buckets, credentialMark: "<digest of the keys>" }) },
  }),
  build: () => (require("./seaweedfs") as typeof import("./seaweedfs")).buildSeaweedfs,
});
