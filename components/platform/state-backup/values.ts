/** The nightly backup of the stacks' states and of databases, which `images/state-backup` makes. */
import type { WantedSecret } from "../namespace-grants";
import type { Place } from "../place";
import { objectStorage } from "../postgres/values";
import { sized } from "../sized";
import type { StateBackupOptions, Storage } from "./options";

export const STATE_BACKUP_NAMESPACE = "state-backup";
export const STATE_BACKUP_RESOURCES = { cpu: "50m", memory: "128Mi" } as const;
/** Name of the CronJob, and of what belongs to it. */
export const STATE_BACKUP_NAME = "state-backup";
/** Secret with the keys of the storages and the passwords of the databases. */
const KEYS_SECRET = "state-backup-keys";
/** ConfigMap with the recipients, and one with the authority to trust beside the public ones. */
const RECIPIENTS_CONFIG = "state-backup-recipients";
const AUTHORITY_CONFIG = "state-backup-authority";
const RECIPIENTS_FILE = "recipients.txt";
const AUTHORITY_FILE = "ca.crt";
/** Paths in the container. Encrypted data is in `work`, and data that is not encrypted yet in `memory`. */
const MOUNTS = { recipients: "/etc/state-backup", authority: "/etc/state-backup-authority", work: "/work", memory: "/memory" } as const;
/** Name that rclone has for the bucket with the states. */
const STATES = "states";
/** The user `postgres` of the image. */
const USER = 26;
/** The longest that a backup may take; a second one does not begin meanwhile. */
const LONGEST_S = 4 * 3600;
const labels = { "app.kubernetes.io/name": STATE_BACKUP_NAME, "app.kubernetes.io/managed-by": "homelab" };

/** Version of the image that `images/state-backup` builds. */
const IMAGE_VERSION = "1";

export const stateBackupImage = ({ image }: Pick<StateBackupOptions, "image">, { domain }: Pick<Place, "domain">): string =>
  image ?? `registry.${domain}/library/state-backup:${IMAGE_VERSION}`;

/** URL of a storage. Default: the homelab's own. */
export const endpointOf = ({ endpoint }: Pick<Storage, "endpoint">, { domain }: Pick<Place, "domain">): string => endpoint ?? objectStorage(domain);

/** Values of a storage that are in secrets/, by the environment variable that rclone reads. */
const secretsOfStorage = (remote: string, { user, secretKey }: Storage): [string, Storage["secretKey"]][] => [
  ...(typeof user === "string" ? [] : [[`RCLONE_CONFIG_${remote.toUpperCase()}_ACCESS_KEY_ID`, user] satisfies [string, Storage["secretKey"]]]),
  [`RCLONE_CONFIG_${remote.toUpperCase()}_SECRET_ACCESS_KEY`, secretKey],
];

const storages = ({ states, places }: Pick<StateBackupOptions, "states" | "places">): [string, Storage][] => [[STATES, states], ...Object.entries(places)];

/** The one Secret: its keys are variables of the container. */
export const keysSecret = (options: Pick<StateBackupOptions, "states" | "places" | "databases">): WantedSecret => ({
  name: KEYS_SECRET,
  data: Object.fromEntries([
    ...storages(options).flatMap(([remote, storage]) => secretsOfStorage(remote, storage)),
    ...Object.entries(options.databases).map(([name, { password }]) => [`BACKUP_${name}_PASSWORD`, password] as const),
  ]),
});

const folderOf = ({ bucket, folder }: Storage): string => (folder === undefined ? bucket : `${bucket}/${folder}`);

/** As rclone takes a remote from the environment: https://rclone.org/docs/#environment-variables */
function remote(name: string, storage: Storage, place: Pick<Place, "domain">): [string, string][] {
  const prefix = `RCLONE_CONFIG_${name.toUpperCase()}`;
  return [
    [`${prefix}_TYPE`, "s3"],
    [`${prefix}_PROVIDER`, "Other"],
    [`${prefix}_ENDPOINT`, endpointOf(storage, place)],
    [`${prefix}_REGION`, storage.region],
    // The bucket exists, and its user may not make buckets.
    [`${prefix}_NO_CHECK_BUCKET`, "true"],
    ...(typeof storage.user === "string" ? [[`${prefix}_ACCESS_KEY_ID`, storage.user] satisfies [string, string]] : []),
  ];
}

/** Variables of `images/state-backup/backup.sh`, without secrets. */
export function settings(options: StateBackupOptions, place: Pick<Place, "domain">): Record<string, string> {
  const { states, places, databases, keepDays } = options;
  return Object.fromEntries([
    ["BACKUP_SITE", place.domain],
    ["BACKUP_WORK", MOUNTS.work],
    ["BACKUP_MEMORY", MOUNTS.memory],
    ["BACKUP_RECIPIENTS", `${MOUNTS.recipients}/${RECIPIENTS_FILE}`],
    ["BACKUP_STATES", folderOf(states)],
    ["BACKUP_PLACES", Object.keys(places).join(" ")],
    ["BACKUP_DATABASES", Object.keys(databases).join(" ")],
    ["BACKUP_KEEP_DAYS", String(keepDays)],
    // There is no configuration file; this keeps rclone from looking for one in its home.
    ["RCLONE_CONFIG", `${MOUNTS.memory}/rclone.conf`],
    ["RCLONE_CACHE_DIR", `${MOUNTS.memory}/cache`],
    ...storages(options).flatMap(([name, storage]) => remote(name, storage, place)),
    ...Object.entries(places).map(([name, storage]) => [`BACKUP_${name}_BUCKET`, folderOf(storage)]),
    ...Object.entries(databases).flatMap(([name, { host, database, user }]) => [
      [`BACKUP_${name}_HOST`, host],
      [`BACKUP_${name}_DATABASE`, database],
      [`BACKUP_${name}_USER`, user],
    ]),
  ]) as Record<string, string>;
}

export const recipientsConfig = <S>(namespace: S, recipients: readonly string[]) => ({
  metadata: { name: RECIPIENTS_CONFIG, namespace, labels },
  data: { [RECIPIENTS_FILE]: recipients.map((recipient) => `${recipient}\n`).join("") },
});

export const authorityConfig = <S, T>(namespace: S, pem: T) => ({
  metadata: { name: AUTHORITY_CONFIG, namespace, labels },
  data: { [AUTHORITY_FILE]: pem },
});

export interface CronJobArgs<S> {
  namespace: S;
  image: string;
  schedule: string;
  settings: Readonly<Record<string, string>>;
  /** Keys of the Secret that are variables. */
  secrets: readonly string[];
  /** Whether there is an authority to trust beside the public ones. */
  hasAuthority: boolean;
}

const mounts = (hasAuthority: boolean) => [
  { name: "work", mountPath: MOUNTS.work },
  { name: "memory", mountPath: MOUNTS.memory },
  { name: "recipients", mountPath: MOUNTS.recipients, readOnly: true },
  ...(hasAuthority ? [{ name: "authority", mountPath: MOUNTS.authority, readOnly: true }] : []),
];

const environmentOf = <S>({ settings: plain, secrets, hasAuthority }: CronJobArgs<S>) => [
  ...Object.entries(plain).map(([name, value]) => ({ name, value })),
  // Go trusts it in addition to the authorities of the image; rclone's own setting would replace them.
  ...(hasAuthority ? [{ name: "SSL_CERT_DIR", value: MOUNTS.authority }] : []),
  ...secrets.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name: KEYS_SECRET, key } } })),
];

const pod = <S>(args: CronJobArgs<S>) => ({
  restartPolicy: "Never",
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      name: STATE_BACKUP_NAME,
      image: args.image,
      env: environmentOf(args),
      resources: sized(STATE_BACKUP_RESOURCES.cpu, STATE_BACKUP_RESOURCES.memory, "768Mi"),
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
      volumeMounts: mounts(args.hasAuthority),
    },
  ],
  volumes: [
    // Encrypted data.
    { name: "work", emptyDir: { sizeLimit: "20Gi" } },
    // States that are not encrypted yet. It counts as memory of the container.
    { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } },
    { name: "recipients", configMap: { name: RECIPIENTS_CONFIG } },
    ...(args.hasAuthority ? [{ name: "authority", configMap: { name: AUTHORITY_CONFIG } }] : []),
  ],
});

export const backupCronJob = <S>(args: CronJobArgs<S>) => ({
  metadata: { name: STATE_BACKUP_NAME, namespace: args.namespace, labels },
  spec: {
    schedule: args.schedule,
    timeZone: "Etc/UTC",
    concurrencyPolicy: "Forbid",
    // A cluster that was off at that time runs the backup later.
    startingDeadlineSeconds: LONGEST_S,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: {
      spec: {
        backoffLimit: 2,
        activeDeadlineSeconds: LONGEST_S,
        template: { metadata: { labels }, spec: pod(args) },
      },
    },
  },
});
