/** Values of the chart harbor, and the Valkey beside it. What the chart would generate anew at each render is in our own Secrets. */
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import { IMMICH_VALKEY_IMAGE } from "../immich/values";
import type { Part } from "../part";
import type { ChartPin, ImagePin } from "../pins";
import { POSTGRES_CLUSTER, POSTGRES_NAMESPACE, POSTGRES_PORT } from "../postgres/values";
import { sized } from "../sized";
import { valkeyArgs } from "../valkey-args";
import { FIRST_KEYS, KEYS } from "./options";

export const HARBOR_CHART = {
  repository: "https://helm.goharbor.io",
  name: "harbor",
  version: "1.19.1",
  why: "Harbor 2.15, a minor version on from the original's, with the same keys",
} as const satisfies ChartPin;

/** Stores its sessions and the queues of its jobs. */
export const HARBOR_VALKEY_IMAGE = { image: IMMICH_VALKEY_IMAGE.image, why: "Valkey 9.1, in place of Redis" } as const satisfies ImagePin;

export const HARBOR_NAMESPACE = "harbor";
/** Port of the proxy in front of its parts. */
export const HARBOR_PORT = 8080;
/** Ports inside the namespace: of its parts, of the registry, of Valkey. */
export const INNER_PORTS = { parts: HARBOR_PORT, registry: 5000, valkey: 6379 } as const;
export const CREDENTIALS_SECRET = "harbor-credentials";
export const DATABASE_SECRET = "harbor-database-login";
export const VALKEY_SECRET = "harbor-valkey-login";
/** Certificate and key that tokens for the registry are signed with. */
export const TOKEN_SECRET = "harbor-token";
export const VALKEY_CLAIM = "harbor-valkey";
const VALKEY_NAME = "harbor-valkey";
const REGISTRY_USER = "harbor_registry_user";

/** Keys of the Secret as the chart expects them, each with the key of its value in secrets/. */
export const SECRET_KEYS: Readonly<Record<string, string>> = {
  HARBOR_ADMIN_PASSWORD: FIRST_KEYS.admin,
  secretKey: FIRST_KEYS.secretKey,
  secret: KEYS.core,
  CSRF_KEY: KEYS.xsrf,
  JOBSERVICE_SECRET: KEYS.jobservice,
  REGISTRY_HTTP_SECRET: KEYS.registry,
  REGISTRY_PASSWD: KEYS.registryPassword,
  REGISTRY_HTPASSWD: KEYS.registryHtpasswd,
};

export const SIZES = { jobLog: "1Gi", trivy: "5Gi", valkey: "1Gi" } as const;
const RESOURCES = {
  nginx: sized("10m", "32Mi", "128Mi"),
  portal: sized("10m", "32Mi", "128Mi"),
  core: sized("100m", "256Mi", "1Gi"),
  jobservice: sized("50m", "128Mi", "512Mi"),
  registry: sized("100m", "128Mi", "1Gi"),
  controller: sized("10m", "64Mi", "256Mi"),
  trivy: sized("100m", "512Mi", "1Gi"),
  valkey: sized("50m", "64Mi", "256Mi"),
} as const;

export const WORKLOADS = [
  { name: "proxy", ...RESOURCES.nginx.requests },
  { name: "portal", ...RESOURCES.portal.requests },
  { name: "core", ...RESOURCES.core.requests },
  { name: "jobservice", ...RESOURCES.jobservice.requests },
  { name: "registry and its controller", cpu: "110m", memory: "192Mi" },
] as const;
export const TRIVY_WORKLOAD = { name: "trivy", ...RESOURCES.trivy.requests } as const;
/** Not part of the chart. */
export const VALKEY_WORKLOAD = { name: "valkey", ...RESOURCES.valkey.requests, onDemand: true } as const;

export interface HarborValuesArgs<T> {
  /** Full name under which it is reached. */
  host: string;
  storageClass: string;
  size: string;
  scan: boolean;
  /** Database, and the role of the same name. */
  database: string;
  /** Digest of the credentials: the pods restart when it changes. */
  credentialMark: T;
}

export function harborValues<T>({ host, storageClass, size, scan, database, credentialMark }: HarborValuesArgs<T>) {
  const podAnnotations = { [CREDENTIALS_ANNOTATION]: credentialMark };
  const existingSecret = CREDENTIALS_SECRET;
  return {
    // The route is our own; the chart's proxy is behind it.
    expose: { type: "clusterIP", tls: { enabled: false } },
    externalURL: `https://${host}`,
    existingSecretAdminPassword: existingSecret,
    existingSecretSecretKey: existingSecret,
    // A volume is mounted by one pod at a time.
    updateStrategy: { type: "Recreate" },
    persistence: {
      enabled: true,
      resourcePolicy: "keep",
      persistentVolumeClaim: {
        registry: { storageClass, size },
        jobservice: { jobLog: { storageClass, size: SIZES.jobLog } },
        trivy: { storageClass, size: SIZES.trivy },
      },
    },
    database: {
      type: "external",
      external: {
        host: `${POSTGRES_CLUSTER}-rw.${POSTGRES_NAMESPACE}.svc`,
        port: String(POSTGRES_PORT),
        username: database,
        coreDatabase: database,
        existingSecret: DATABASE_SECRET,
        sslmode: "require",
      },
    },
    // The chart reads this Secret when it renders, and writes the password into URLs in its ConfigMaps. So the password is for Harbor's own
    // Valkey only, which only Harbor's namespace reaches.
    redis: { type: "external", external: { addr: `${VALKEY_NAME}:${INNER_PORTS.valkey}`, existingSecret: VALKEY_SECRET } },
    core: {
      existingSecret,
      secretName: TOKEN_SECRET,
      existingXsrfSecret: existingSecret,
      podAnnotations,
      resources: RESOURCES.core,
    },
    jobservice: { existingSecret, podAnnotations, resources: RESOURCES.jobservice },
    registry: {
      existingSecret,
      credentials: { username: REGISTRY_USER, existingSecret },
      podAnnotations,
      registry: { resources: RESOURCES.registry },
      controller: { resources: RESOURCES.controller },
    },
    portal: { resources: RESOURCES.portal },
    nginx: { resources: RESOURCES.nginx },
    trivy: { enabled: scan, resources: RESOURCES.trivy },
  };
}

/** User of the image valkey. */
const VALKEY_USER = 999;

/** @typeParam S text, or an output of one. @param claim name of the claim for its data. @param credentials digest of its password */
export const valkeyOfHarbor = <S>(secret: S, claim: S, credentials: S): Part<S> => ({
  of: "harbor",
  name: VALKEY_NAME,
  credentials,
  image: HARBOR_VALKEY_IMAGE.image,
  port: INNER_PORTS.valkey,
  // Queued jobs outlive the pod.
  args: valkeyArgs("--appendonly", "yes", "--dir", "/data", "--maxmemory", "192mb", "--maxmemory-policy", "noeviction"),
  environment: { PASSWORD: { secret, key: "REDIS_PASSWORD" } },
  resources: RESOURCES.valkey,
  user: VALKEY_USER,
  mounts: { "/data": { claim } },
});
