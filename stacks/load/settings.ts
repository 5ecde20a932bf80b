import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { exactImage } from "../../common/exact-image";
import { nearest } from "../../common/nearest";
import { objectName } from "./names";
import {
  bootServerSettings,
  clusterApiSettings,
  dnsSettings,
  haproxySettings,
  k3sSettings,
  kubeadmSettings,
  longhornSettings,
  teleportSettings,
  usbStorageSettings,
} from "./role-settings";

/** Sorts the keys of maps: the engine gives them in another order than the file, and a role must be the same from both. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, inOrder(item)]),
  );
}

/** A running program gets a setting as text (JSON where it is a list, map, number or boolean); from a file it has YAML's type. */
function fromText<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => {
    if (typeof value !== "string") return inOrder(value);
    try {
      return inOrder(JSON.parse(value));
    } catch {
      // Not JSON: the schema below says what was expected.
      return value;
    }
  }, schema);
}

/** One schema for the settings of every stack: the `homelab:` keys of `Pulumi.<stack>.yaml`. */
const settings = {
  /** Contact for the certificate authority. */
  acmeEmail: z.email(),
  /** Whether namespaces labelled cluster-secrets=true get the old shared Secret, with everything in it. Default: no. */
  sharedSecrets: fromText(z.boolean()).default(false),
  /** Parts of k3s to disable: traefik, servicelb, local-storage, metrics-server, coredns. */
  k3sDisable: fromText(z.array(z.enum(["traefik", "servicelb", "local-storage", "metrics-server", "coredns"]))).default([]),
  /** Proxy and registries of k3s. Left out: what the host has. */
  k3s: fromText(k3sSettings).optional(),
  /** Where k3s keeps the volumes of the storage class local-path. Default: its own folder. */
  localStoragePath: z
    .string()
    .regex(/^\/[A-Za-z0-9/_.-]+$/, "must be an absolute path")
    .optional(),
  /** The cluster is built by kubeadm, with these settings. Left out: by k3s. */
  kubeadm: fromText(kubeadmSettings).optional(),
  /** What Longhorn needs of the cluster's host; `{}` for its defaults. Left out: nothing. */
  longhorn: fromText(longhornSettings).optional(),
  /** The disk passed through to the cluster's VM: where it is mounted, and folders on it. Left out: it is not touched. */
  usbStorage: fromText(usbStorageSettings).optional(),
  /** Cluster API on the cluster. Left out: none. */
  clusterApi: fromText(clusterApiSettings).optional(),
  /** Pi-hole, on the VM whose duty is `dns`. Left out: the VM is left as it is. */
  dns: fromText(dnsSettings).optional(),
  /** The load balancer, on the VM whose duty is `haproxy`. Left out: the VM is left as it is. */
  haproxy: fromText(haproxySettings).optional(),
  /** Teleport, on the VM whose duty is `teleport`. Left out: the VM is left as it is. */
  teleport: fromText(teleportSettings).optional(),
  /** The installer of Proxmox hosts, on the VM whose duty is `boot-server`. Left out: the VM is left as it is. */
  bootServer: fromText(bootServerSettings).optional(),
  ingressClass: z.string().default("traefik"),
  /** true: no VM of this stack can be deleted or replaced, unless replaceVms names it. Those that hold data never can. */
  protectVms: fromText(z.boolean()).default(false),
  /** Names of VMs that may be deleted and replaced although they are protected; `*`: all of the stack. */
  replaceVms: fromText(z.array(z.string().regex(/^(\*|[a-z][a-z0-9-]*)$/, "must be the name of a VM, or *"))).default([]),
  /** Image of applications with `{ setting: "appImage" }`. Left out: what they name in `otherwise`. */
  appImage: exactImage.optional(),
  /** By application: the image that it runs here. `homelab promote` writes it. */
  images: fromText(z.record(objectName, exactImage)).default({}),
  appReplicas: fromText(z.int().min(1).max(10)).default(1),
};

const schema = z.strictObject(settings);
export type StackConfig = z.infer<typeof schema>;

const KEYS = Object.keys(settings);
const NAMESPACE = "homelab:";

/** Keys of `Pulumi.<stack>.yaml` that belong to Pulumi. */
const FILE_KEYS = ["config", "environment", "secretsprovider", "encryptionsalt", "encryptedkey"];

function unknownKey(file: string, key: string, known: readonly string[]): HomelabError {
  const meant = nearest(key, known);
  return new HomelabError("E_CONFIG_KEY", `${file}: unknown key "${key}"`, {
    subject: file,
    hint: meant === undefined ? `the known keys are: ${known.join(", ")}` : `did you mean "${meant}"?`,
  });
}

/**
 * The settings of one stack, checked and with their defaults.
 * @param file named in errors
 * @param values keys with namespace, as `config` of the file or the running program has them; keys of other packages are ignored
 * @throws HomelabError E_CONFIG_KEY or E_CONFIG_VALUE with the file, the key and what is expected
 */
export function parseStackConfig(file: string, values: Readonly<Record<string, unknown>>): StackConfig {
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (!key.startsWith(NAMESPACE)) continue;
    const name = key.slice(NAMESPACE.length);
    if (!KEYS.includes(name))
      throw unknownKey(
        file,
        key,
        KEYS.map((k) => `${NAMESPACE}${k}`),
      );
    own[name] = value;
  }
  const result = schema.safeParse(own);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${NAMESPACE}${issue.path.join(".")}: ${issue.message}`);
  throw new HomelabError("E_CONFIG_VALUE", `${file}: ${issues.join("; ")}`, {
    subject: file,
    hint: "correct the value; docs/components.md says what each setting does",
  });
}

/**
 * The settings in the text of a `Pulumi.<stack>.yaml`.
 * @throws HomelabError E_CONFIG_FILE where it is no YAML map, E_CONFIG_KEY, E_CONFIG_VALUE
 */
export function parseStackConfigFile(file: string, text: string): StackConfig {
  const { parse } = require("yaml") as typeof import("yaml");
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (cause) {
    throw new HomelabError("E_CONFIG_FILE", `${file}: not valid YAML`, { cause, subject: file, hint: "correct the line that is named" });
  }
  const map = z.record(z.string(), z.unknown()).safeParse(document);
  if (!map.success) throw new HomelabError("E_CONFIG_FILE", `${file}: expected a map at the top`, { subject: file, hint: "start it with config:" });
  for (const key of Object.keys(map.data)) if (!FILE_KEYS.includes(key)) throw unknownKey(file, key, FILE_KEYS);
  const config = z.record(z.string(), z.unknown()).nullish().safeParse(map.data["config"]);
  if (!config.success)
    throw new HomelabError("E_CONFIG_FILE", `${file}: config must be a map`, { subject: file, hint: "write each setting as homelab:<key>: <value>" });
  return parseStackConfig(file, config.data ?? {});
}
