/** Texts of Vault's policies. Pure; docs/secrets.md says in words who may do what. */

import { HomelabError } from "../../../common/errors";
import { CLUSTERS, ENTRY_PLACES, ENVIRONMENTS, KV_MOUNT } from "../../../common/vault-layout";
import { argoCdAccessEntry, authMountOf, kubeconfigEntry, MANAGER, type StackGrant } from "./vault-names";

const rule = (path: string, ...capabilities: string[]): string =>
  `path "${path}" { capabilities = [${capabilities.map((capability) => `"${capability}"`).join(", ")}] }\n`;

/** @throws HomelabError E_VAULT_PATH for a path that would mean more than one entry in a policy, or end its text */
function plainPath(path: string): string {
  if (/^[A-Za-z0-9_.@:-]+(\/[A-Za-z0-9_.@:-]+)*$/.test(path)) return path;
  throw new HomelabError("E_VAULT_PATH", `"${path}" cannot be named in a policy of Vault`, {
    subject: path,
    hint: "rename the entry: letters, digits and . _ - @ : between slashes",
  });
}

/** A policy that lets its holder read these entries and nothing else. */
export function readPolicy(paths: readonly string[]): string {
  const rules = [...new Set(paths)].toSorted().map((path) => rule(`${KV_MOUNT}/data/${plainPath(path)}`, "read"));
  // Vault refuses an empty policy.
  return rules.length === 0 ? "# no entry\n" : rules.join("");
}

const ENTRY = ["create", "read", "update"];
const METADATA = ["read", "delete"];
/** Entries are written, read, and deleted with all their versions. */
const entry = (path: string): string => rule(`${KV_MOUNT}/data/${path}`, ...ENTRY) + rule(`${KV_MOUNT}/metadata/${path}`, ...METADATA);
/** All entries of a folder; "" is the mount itself. */
const entries = (folder: string): string => ENTRY_PLACES.map((place) => entry(folder === "" ? place : `${folder}/${place}`)).join("");
const nobodysEntry = (path: string): string => rule(`${KV_MOUNT}/data/${path}`, "deny") + rule(`${KV_MOUNT}/metadata/${path}`, "deny");

/**
 * Before version 2 of the layout, each stack made its auth mount and policies itself. It may delete those, by name, but not make them.
 */
const leftovers = (stack: string): string =>
  rule(`sys/auth/kubernetes-${stack}`, "delete", "sudo") +
  rule(`auth/kubernetes-${stack}/role/external-dns`, "delete") +
  rule(`auth/kubernetes-${stack}/role/cluster-secrets`, "delete") +
  rule(`sys/policies/acl/cluster-${stack}-external-dns`, "delete") +
  rule(`sys/policies/acl/cluster-${stack}-shared`, "delete");

/**
 * Policy of a stack. It may write the entries of its cluster (kubeconfig, access of an Argo CD elsewhere), its own values, and where Vault
 * finds its cluster. None of that can widen its rights. The stack that writes the shared entries may write those too, but no entry of
 * another stack.
 */
export function stackPolicy({ stack: name, writesCommon }: Pick<StackGrant, "stack" | "writesCommon">): string {
  const stack = plainPath(name);
  return [
    writesCommon ? `${entries("")}${nobodysEntry(`${CLUSTERS}/*`)}${nobodysEntry(`${ENVIRONMENTS}/*`)}` : "",
    entry(kubeconfigEntry(stack)),
    entry(argoCdAccessEntry(stack)),
    entries(`${ENVIRONMENTS}/${stack}`),
    rule(`auth/${authMountOf(stack)}/config`, "create", "read", "update"),
    rule("auth/token/lookup-self", "read"),
    rule("auth/token/renew-self", "update"),
    leftovers(stack),
  ].join("");
}

/**
 * Policy of the stack that manages Vault: mounts, policies, roles, and tokens of the stacks. It cannot read entries, but whoever has these
 * rights could give itself any other.
 */
export function managerPolicy(): string {
  const all = ["create", "read", "update", "delete"];
  return [
    rule("sys/mounts", "read"),
    rule(`sys/mounts/${KV_MOUNT}`, ...all),
    rule(`sys/mounts/${KV_MOUNT}/tune`, "read", "update"),
    rule("sys/audit", "read", "sudo"),
    rule("sys/audit/*", ...all, "sudo"),
    rule("sys/auth", "read"),
    rule(`sys/auth/${authMountOf("+")}`, ...all, "sudo"),
    rule(`sys/auth/${authMountOf("+")}/tune`, "read", "update", "sudo"),
    rule(`sys/mounts/auth/${authMountOf("+")}/tune`, "read", "update"),
    rule(`auth/${authMountOf("+")}/role/*`, ...all, "list"),
    rule("sys/policies/acl/stack.*", ...all),
    rule("sys/policies/acl/namespace.*", ...all),
    // From the previous layout.
    rule("sys/policies/acl/homelab-program", "delete"),
    // Orphan tokens with a period.
    rule("auth/token/create", "create", "update", "sudo"),
    rule("auth/token/lookup-accessor", "create", "update"),
    rule("auth/token/renew", "create", "update"),
    rule("auth/token/revoke-accessor", "create", "update"),
    rule("auth/token/lookup-self", "read"),
    rule("auth/token/renew-self", "update"),
  ].join("");
}

/** Given to Vault with {@link MANAGER} as its name. */
export const MANAGER_POLICY = { name: MANAGER, policy: managerPolicy() } as const;
