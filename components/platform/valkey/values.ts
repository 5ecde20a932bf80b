/** Values of the chart valkey. */
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { WantedSecret } from "../namespace-grants";
import type { ChartPin } from "../pins";
import type { ValkeyOptions } from "./options";

export const VALKEY_CHART = {
  repository: "https://valkey.io/valkey-helm",
  name: "valkey",
  version: "0.11.0",
  why: "Valkey 9.1, in place of Redis: free, with the same protocol; Bitnami's images get no updates any more",
} as const satisfies ChartPin;

export const VALKEY_NAMESPACE = "valkey";
/** Secret with a password for each user, by the user's name. */
export const USERS_SECRET = "valkey-users";
export const VALKEY_PORT = 6379;

/** What a user may do beside its keys and channels. Nobody may change the server; `INFO` and `KEYS` are asked for by clients. */
const COMMANDS = {
  read: "-@all +@read +@connection +info",
  write: "+@all -@admin -@dangerous +info +keys",
} as const;

/** The Secret with a password for each user. */
export const usersSecret = ({ users }: Pick<ValkeyOptions, "users">): WantedSecret => ({
  name: USERS_SECRET,
  data: Object.fromEntries(Object.entries(users).map(([name, { path, key }]) => [name, { path, key }])),
});

/** Rules of a user as `ACL SETUSER` takes them, without the password. */
export const aclRules = ({ keys, channels, may }: Pick<ValkeyOptions["users"][string], "keys" | "channels" | "may">): string =>
  [...keys.map((pattern) => `~${pattern}`), "resetchannels", ...channels.map((pattern) => `&${pattern}`), COMMANDS[may]].join(" ");

/** Nobody is let in without a user and its password. A line of its own, after the users: the server has this user by itself. */
const NO_DEFAULT_USER = "user default off";

/** @typeParam T text, or a text that is known once it is there */
export interface ValkeyValuesArgs<T> {
  storageClass: string;
  options: Pick<ValkeyOptions, "size" | "memoryMiB" | "users">;
  /** Full name under which clients outside the cluster reach it. */
  host: string;
  credentialMark: T;
}

/** Of the server. Its files are written while it runs; half of the memory again is for that, and for its buffers. */
const CONFIG = (memoryMiB: number): string => `maxmemory ${memoryMiB}mb\nmaxmemory-policy noeviction\nappendonly yes\nnotify-keyspace-events KA\n`;

export function valkeyValues<T>({ storageClass, options: { size, memoryMiB, users }, host, credentialMark }: ValkeyValuesArgs<T>) {
  // A port that opens says that it runs; a command would have to log in.
  const customProbe = { tcpSocket: { port: VALKEY_PORT } };
  return {
    podAnnotations: { [CREDENTIALS_ANNOTATION]: credentialMark },
    auth: {
      enabled: true,
      usersExistingSecret: USERS_SECRET,
      aclUsers: Object.fromEntries(Object.entries(users).map(([name, user]) => [name, { permissions: aclRules(user) }])),
      aclConfig: NO_DEFAULT_USER,
    },
    valkeyConfig: CONFIG(memoryMiB),
    dataStorage: { enabled: true, requestedSize: size, className: storageClass, keepPvc: true },
    // Two of them cannot have the volume.
    deploymentStrategy: "Recreate",
    service: { type: "LoadBalancer", port: VALKEY_PORT, annotations: { "external-dns.alpha.kubernetes.io/hostname": host } },
    startupProbe: { enabled: true, customProbe },
    readinessProbe: { enabled: true, customProbe },
    livenessProbe: { enabled: true, customProbe },
    resources: { requests: { cpu: "100m", memory: `${memoryMiB}Mi` }, limits: { memory: `${memoryMiB + memoryMiB / 2 + 64}Mi` } },
    initResources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
  };
}
