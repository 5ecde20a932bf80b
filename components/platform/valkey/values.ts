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

/** Commands of a user. Nobody may change the server; `INFO` and `KEYS` are allowed because clients use them. */
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

/** Nobody may log in without a user and its password. `default` is a user that the server has by itself. */
const NO_DEFAULT_USER = "user default off";

/** @typeParam T text, or an output of one */
export interface ValkeyValuesArgs<T> {
  storageClass: string;
  options: Pick<ValkeyOptions, "size" | "memoryMiB" | "users">;
  /** Full name under which clients outside the cluster reach it. */
  host: string;
  credentialMark: T;
}

/** Configuration of the server. The container gets half of `maxmemory` in addition, for the rewriting of files and for buffers. */
const CONFIG = (memoryMiB: number): string => `maxmemory ${memoryMiB}mb\nmaxmemory-policy noeviction\nappendonly yes\nnotify-keyspace-events KA\n`;

export function valkeyValues<T>({ storageClass, options: { size, memoryMiB, users }, host, credentialMark }: ValkeyValuesArgs<T>) {
  // An open port is enough: a command would need a login.
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
    // Two pods cannot share the volume.
    deploymentStrategy: "Recreate",
    service: { type: "LoadBalancer", port: VALKEY_PORT, annotations: { "external-dns.alpha.kubernetes.io/hostname": host } },
    startupProbe: { enabled: true, customProbe },
    readinessProbe: { enabled: true, customProbe },
    livenessProbe: { enabled: true, customProbe },
    resources: { requests: { cpu: "100m", memory: `${memoryMiB}Mi` }, limits: { memory: `${memoryMiB + memoryMiB / 2 + 64}Mi` } },
    initResources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
  };
}
