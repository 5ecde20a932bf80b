/**
 * Immich as objects of ours: its chart is a thin cover of a library chart whose values no schema of it knows, and has had neither
 * database nor queue since 0.10.
 */
import type { PostgresServers } from "../../base/postgres-spec";
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { ImagePin } from "../pins";
import { sized } from "../sized";
import type { ImmichOptions } from "./options";

export const IMMICH_NAMESPACE = "immich";
export const SERVER_PORT = 2283;
export const LEARNING_PORT = 3003;
export const VALKEY_PORT = 6379;
export const DATABASE = "immich";
/** Name of the database's `Cluster`. */
export const DATABASE_SERVERS = "immich-database";
export const LIBRARY_CLAIM = "immich-library";
export const CACHE_CLAIM = "immich-models";
/** Where the server looks for its library. */
const LIBRARY_MOUNT = "/data";

export const immichImage = (part: "server" | "machine-learning", version: ImmichOptions["version"]): string => `ghcr.io/immich-app/immich-${part}:${version}`;

/** VectorChord 0.4 for Postgres 17: Immich 1.133 and later take 0.3 and newer, below 2. */
export const VECTORCHORD_IMAGE = {
  image: "ghcr.io/tensorchord/cloudnative-vectorchord:17-0.4.3",
  why: "Postgres 17 of CloudNativePG with VectorChord, which took the place of pgvecto.rs",
} as const satisfies ImagePin;

export const IMMICH_VALKEY_IMAGE = {
  image: "docker.io/valkey/valkey:9.1-alpine@sha256:34f4f659e02a67cfdf3995d11ae432219c936005055b2cd39a042e86280e053e",
  why: "the one that Immich's own chart 0.12 names",
} as const satisfies ImagePin;

export const SERVER = { cpu: "500m", memory: "1Gi" } as const;
export const LEARNING = { cpu: "500m", memory: "1Gi" } as const;
export const VALKEY = { cpu: "50m", memory: "128Mi" } as const;
export const DATABASE_RESOURCES = { cpu: "250m", memory: "1Gi", memoryLimit: "2Gi" } as const;

export const immichServers = ({ databaseSize }: Pick<ImmichOptions, "databaseSize">, storageClass: string): PostgresServers => ({
  instances: 1,
  image: VECTORCHORD_IMAGE.image,
  size: databaseSize,
  storageClass,
  resources: DATABASE_RESOURCES,
  preload: ["vchord.so"],
  parameters: { shared_buffers: "256MB", max_wal_size: "2GB" },
});

/** In the order in which they need one another. */
export const IMMICH_EXTENSIONS = ["vector", "vchord", "cube", "earthdistance"] as const;

/** A value of a container's environment: as it is, or of a Secret. */
type Setting<S> = string | { readonly secret: S; readonly key: string };

interface Part<S> {
  readonly name: string;
  readonly image: string;
  readonly port: number;
  /** Path that answers 200 when it is well; left out: it is well where it takes a connection. */
  readonly healthPath?: string;
  readonly args?: readonly string[];
  readonly environment: Readonly<Record<string, Setting<S>>>;
  readonly resources: ReturnType<typeof sized>;
  readonly user: number;
  /** The image writes beside its volumes. */
  readonly writesRoot?: true;
  /** Another text for other credentials: its pod restarts with them. */
  readonly credentials?: S;
  /** Folders by claim, or empty ones. */
  readonly mounts: Readonly<Record<string, { readonly claim: S } | "empty">>;
}

const labelsOf = (name: string) => ({ "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "immich", "app.kubernetes.io/managed-by": "homelab" });

/** Who may be a minute on its first start: it migrates its database, or downloads its models. */
const STARTS_WITHIN = { periodSeconds: 10, failureThreshold: 60 };

export function deploymentOf<S>({ name, image, port, healthPath, args, environment, resources, user, writesRoot, credentials, mounts }: Part<S>, namespace: S) {
  const probe = healthPath === undefined ? { tcpSocket: { port: "main" } } : { httpGet: { path: healthPath, port: "main" } };
  const volumes = Object.entries(mounts).map(([path, what], index) => ({ path, what, volume: `volume-${index}` }));
  const env = Object.entries(environment).map(([key, value]) =>
    typeof value === "string" ? { name: key, value } : { name: key, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } },
  );
  return {
    metadata: { name, namespace, labels: labelsOf(name) },
    spec: {
      replicas: 1,
      // Its volumes are mounted once.
      strategy: { type: "Recreate" },
      selector: { matchLabels: { "app.kubernetes.io/name": name } },
      template: {
        metadata: { labels: labelsOf(name), ...(credentials === undefined ? {} : { annotations: { [CREDENTIALS_ANNOTATION]: credentials } }) },
        spec: {
          automountServiceAccountToken: false,
          // Links of Services as variables would overwrite settings of the same names.
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user,
            runAsGroup: user,
            fsGroup: user,
            fsGroupChangePolicy: "OnRootMismatch",
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name,
              image,
              ...(args === undefined ? {} : { args: [...args] }),
              env,
              ports: [{ name: "main", containerPort: port }],
              startupProbe: { ...probe, ...STARTS_WITHIN },
              readinessProbe: { ...probe, periodSeconds: 10 },
              // What it depends on may be away: that is no reason to begin again.
              livenessProbe: { tcpSocket: { port: "main" }, periodSeconds: 20, failureThreshold: 6 },
              resources,
              securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: writesRoot !== true, capabilities: { drop: ["ALL"] } },
              volumeMounts: volumes.map(({ path, volume }) => ({ name: volume, mountPath: path })),
            },
          ],
          volumes: volumes.map(({ what, volume }) =>
            what === "empty" ? { name: volume, emptyDir: {} } : { name: volume, persistentVolumeClaim: { claimName: what.claim } },
          ),
        },
      },
    },
  };
}

export const serviceOf = <S>(name: string, port: number, namespace: S) => ({
  metadata: { name, namespace, labels: labelsOf(name) },
  spec: { selector: { "app.kubernetes.io/name": name }, ports: [{ name: "main", port, targetPort: "main" }] },
});

export interface PartsArgs<S> {
  readonly options: Pick<ImmichOptions, "version" | "owner">;
  readonly library: S;
  readonly database: { readonly secret: S };
  readonly valkey: { readonly secret: S };
  readonly credentials: S;
}

const NOBODY = 65_534;
/** Of the image valkey. */
const VALKEY_USER = 999;

/** Valkey holds the queues of jobs, which are made again where they are lost. */
export const valkeyPart = <S>(secret: S, credentials: S): Part<S> => ({
  credentials,
  name: "immich-valkey",
  image: IMMICH_VALKEY_IMAGE.image,
  port: VALKEY_PORT,
  args: ["valkey-server", "--save", "", "--requirepass", "$(PASSWORD)", "--maxmemory", "96mb", "--maxmemory-policy", "noeviction"],
  environment: { PASSWORD: { secret, key: "password" } },
  resources: sized(VALKEY.cpu, VALKEY.memory, "256Mi"),
  user: VALKEY_USER,
  mounts: { "/data": "empty" },
});

export const learningPart = <S>(version: ImmichOptions["version"], models: S): Part<S> => ({
  name: "immich-machine-learning",
  image: immichImage("machine-learning", version),
  port: LEARNING_PORT,
  healthPath: "/ping",
  environment: { TRANSFORMERS_CACHE: "/cache", HF_XET_CACHE: "/cache/huggingface-xet", MPLCONFIGDIR: "/cache/matplotlib-config" },
  resources: sized(LEARNING.cpu, LEARNING.memory, "4Gi"),
  user: NOBODY,
  mounts: { "/cache": { claim: models }, "/tmp": "empty" },
});

export const serverPart = <S>({ options: { version, owner }, library, database, valkey, credentials }: PartsArgs<S>): Part<S> => ({
  credentials,
  name: "immich-server",
  image: immichImage("server", version),
  port: SERVER_PORT,
  healthPath: "/api/server/ping",
  environment: {
    DB_HOSTNAME: `${DATABASE_SERVERS}-rw`,
    DB_DATABASE_NAME: DATABASE,
    DB_USERNAME: { secret: database.secret, key: "username" },
    DB_PASSWORD: { secret: database.secret, key: "password" },
    DB_VECTOR_EXTENSION: "vectorchord",
    REDIS_HOSTNAME: "immich-valkey",
    REDIS_PASSWORD: { secret: valkey.secret, key: "password" },
    IMMICH_MACHINE_LEARNING_URL: `http://immich-machine-learning:${LEARNING_PORT}`,
    IMMICH_MEDIA_LOCATION: LIBRARY_MOUNT,
  },
  resources: sized(SERVER.cpu, SERVER.memory, "4Gi"),
  user: owner,
  // It unpacks and transcodes beside its library.
  writesRoot: true,
  mounts: { [LIBRARY_MOUNT]: { claim: library }, "/tmp": "empty" },
});

/** The folder on the node as a volume: it stays when claim and program go, and is not made where it is missing. */
export const libraryVolume = (
  { libraryPath, librarySize }: Pick<ImmichOptions, "libraryPath" | "librarySize">,
  claim: { name: string; namespace: string },
) => ({
  metadata: { name: claim.name, labels: labelsOf("immich-server") },
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: librarySize },
    hostPath: { path: libraryPath, type: "Directory" },
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim },
  },
});
