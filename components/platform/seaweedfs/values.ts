/** Values of the chart seaweedfs, as one pod with all parts: master, volumes, filer and S3. */
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { Bucket, User } from "../minio/values";
import type { ChartPin } from "../pins";
import { sized } from "../sized";

export const SEAWEEDFS_CHART = {
  repository: "https://seaweedfs.github.io/seaweedfs/helm",
  name: "seaweedfs",
  version: "4.44.0",
  why: "object storage under a free licence, with versions of objects: what comes after MinIO, whose images nobody mends any more",
} as const satisfies ChartPin;

export const SEAWEEDFS_NAMESPACE = "seaweedfs";
export const S3_PORT = 8333;
/** Ports of its own protocol, for the Job that makes buckets. gRPC has each of these ports plus 10000. */
export const INNER_PORTS = [9333, 19_333, 8888, 18_888, 8080, 18_080] as const;
/** Secret with users and their rights. */
export const CONFIG_SECRET = "seaweedfs-s3";
export const CONFIG_KEY = "seaweedfs_s3_config";
export const REQUESTS = { cpu: "100m", memory: "512Mi" } as const;
/** The image has no user of its own. */
const USER = 1000;

/** What each user of the S3 gateway may: https://github.com/seaweedfs/seaweedfs/wiki/Amazon-S3-API, "Actions". */
const ACTIONS = { read: ["Read", "List"], write: ["Read", "List", "Write", "Tagging"] } as const;

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** The configuration of the gateway. @param keys of the root user, and of each user by access key */
export function s3Config(root: Keys, users: Readonly<Record<string, User & { readonly secretKey: string }>>): string {
  const identities = [
    { name: "root", credentials: [root], actions: ["Admin", "Read", "Write", "List", "Tagging"] },
    ...Object.entries(users).map(([name, { buckets, may, secretKey }]) => ({
      name,
      credentials: [{ accessKey: name, secretKey }],
      actions: buckets.flatMap((bucket) => ACTIONS[may].map((action) => `${action}:${bucket}`)),
    })),
  ];
  return JSON.stringify({ identities });
}

/** @typeParam T text, or an output of one */
export interface SeaweedfsValuesArgs<T> {
  storageClass: string;
  size: string;
  buckets: readonly Bucket[];
  /** Digest of the keys: the pod restarts when it changes. */
  credentialMark: T;
}

export function seaweedfsValues<T>({ storageClass, size, buckets, credentialMark }: SeaweedfsValuesArgs<T>) {
  const off = { enabled: false };
  return {
    master: off,
    volume: off,
    filer: off,
    allInOne: {
      enabled: true,
      podAnnotations: { [CREDENTIALS_ANNOTATION]: credentialMark },
      s3: {
        enabled: true,
        enableAuth: true,
        existingConfigSecret: CONFIG_SECRET,
        createBuckets: buckets.map(({ name, versioning }) => ({ name, anonymousRead: false, ...(versioning === true ? { versioning: "Enabled" } : {}) })),
      },
      data: { type: "persistentVolumeClaim", size, storageClass },
      resources: sized(REQUESTS.cpu, REQUESTS.memory, "1Gi"),
      podSecurityContext: {
        enabled: true,
        ...{ runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER },
        seccompProfile: { type: "RuntimeDefault" },
      },
      containerSecurityContext: { enabled: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    },
  };
}
