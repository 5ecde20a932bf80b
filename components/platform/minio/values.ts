/** Values of the chart minio. Buckets that others need are made here, not by hand. */
import type { ChartPin } from "../pins";

export const MINIO_CHART = {
  repository: "https://charts.min.io",
  name: "minio",
  version: "5.4.0",
  why: "version of the original system, and the last one of the chart",
} as const satisfies ChartPin;

export const MINIO_NAMESPACE = "minio";

/** Secret with the root user. */
export const ROOT_SECRET = "minio-root";

/** Secret with the secret key of each user, by access key. */
export const USERS_SECRET = "minio-users";

export interface User {
  readonly buckets: readonly string[];
  readonly may: "read" | "write";
}

const READS = ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"];
const WRITES = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads"];

/** What a user may: in its own buckets, and nowhere else. */
const policyOf = ({ buckets, may }: User) => ({
  resources: buckets.flatMap((bucket) => [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]),
  actions: may === "read" ? READS : [...READS, ...WRITES],
});

export interface Bucket {
  readonly name: string;
  readonly versioning?: boolean | undefined;
}

/** @typeParam T text, or a text that is known once it is there */
export interface MinioValuesArgs<T> {
  storageClass: string;
  size: string;
  buckets: readonly Bucket[];
  /** By access key. */
  users: Readonly<Record<string, User>>;
  /** Another text for another root credential. */
  credentialMark: T;
}

export function minioValues<T>({ storageClass, size, buckets, users, credentialMark }: MinioValuesArgs<T>) {
  return {
    podAnnotations: { "homelab/root-credential": credentialMark },
    mode: "standalone",
    replicas: 1,
    existingSecret: ROOT_SECRET,
    policies: Object.entries(users).map(([name, user]) => ({ name, statements: [policyOf(user)] })),
    // The chart's default is a user "console" with all rights and the password "console123".
    users: Object.keys(users).map((accessKey) => ({ accessKey, existingSecret: USERS_SECRET, existingSecretKey: accessKey, policy: accessKey })),
    persistence: { enabled: true, size, storageClass },
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
    // The chart says which user it is; it keeps its settings beside its program.
    containerSecurityContext: {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    buckets: buckets.map(({ name, versioning }) => ({ name, policy: "none", purge: false, ...(versioning === true ? { versioning } : {}) })),
    ingress: { enabled: false },
    consoleIngress: { enabled: false },
  };
}
