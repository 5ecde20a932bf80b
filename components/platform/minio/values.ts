/** Values of the chart minio. Buckets that others need are made here, not by hand. */
import type { ChartPin, ImagePin } from "../pins";

export const MINIO_CHART = {
  repository: "https://charts.min.io",
  name: "minio",
  version: "5.4.0",
  why: "version of the original system, and the last one of the chart",
} as const satisfies ChartPin;

/** Both are pinned by the digest of their index. No newer ones are published, and what is pulled is what was reviewed. */
export const MINIO_IMAGE = {
  image: "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z@sha256:14cea493d9a34af32f524e538b8346cf79f3321eff8e708c1e2960462bd8936e",
  why: "the last one that MinIO published; the chart's own is nine months older. The fix of GHSA-jjjj-jwhf-8rgr came as source only: the flaw widens service accounts and sessions, and users here have neither",
} as const satisfies ImagePin;
export const MINIO_CLIENT_IMAGE = {
  image: "quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z@sha256:a7fe349ef4bd8521fb8497f55c6042871b2ae640607cf99d9bede5e9bdf11727",
  why: "the last one that MinIO published; it makes buckets and users",
} as const satisfies ImagePin;

/** An image as the chart takes it: everything after its first `:` is the "tag". */
function chartImage({ image }: ImagePin): { repository: string; tag: string } {
  const [repository = "", ...tag] = image.split(":");
  return { repository, tag: tag.join(":") };
}

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

/** The policy of a user: its own buckets, and no others. */
const policyOf = ({ buckets, may }: User) => ({
  resources: buckets.flatMap((bucket) => [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]),
  actions: may === "read" ? READS : [...READS, ...WRITES],
});

export interface Bucket {
  readonly name: string;
  readonly versioning?: boolean | undefined;
}

/** @typeParam T text, or an output of one */
export interface MinioValuesArgs<T> {
  storageClass: string;
  size: string;
  buckets: readonly Bucket[];
  /** By access key. */
  users: Readonly<Record<string, User>>;
  /** Digest of the root credential: the pod restarts when it changes. */
  credentialMark: T;
}

export function minioValues<T>({ storageClass, size, buckets, users, credentialMark }: MinioValuesArgs<T>) {
  return {
    podAnnotations: { "homelab/root-credential": credentialMark },
    image: chartImage(MINIO_IMAGE),
    mcImage: chartImage(MINIO_CLIENT_IMAGE),
    mode: "standalone",
    replicas: 1,
    existingSecret: ROOT_SECRET,
    policies: Object.entries(users).map(([name, user]) => ({ name, statements: [policyOf(user)] })),
    // The chart's default is a user "console" with all rights and the password "console123".
    users: Object.keys(users).map((accessKey) => ({ accessKey, existingSecret: USERS_SECRET, existingSecretKey: accessKey, policy: accessKey })),
    // An uninstall keeps the claim.
    persistence: { enabled: true, size, storageClass, annotations: { "helm.sh/resource-policy": "keep" } },
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
    // The chart sets the user. The root file system is writable, because MinIO keeps its settings beside its program.
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
