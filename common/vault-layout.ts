/** Where values lie in Vault, and in secrets/, which has the same paths. */

/** The one KV mount, version 2; the top of every file of secrets/. */
export const KV_MOUNT = "kv";

/** Below it: the entries of the program and of what it builds, one a file. */
const STORE = "cluster-secret-store/secrets";

/** The path of such an entry below the mount; without a name, of the folder that has them. */
export const storePath = (entry?: string): string => (entry === undefined ? STORE : `${STORE}/${entry}`);

/** Folder for what each stack writes about its cluster. */
export const CLUSTERS = "clusters";
/** Folder for values of single environments. */
export const ENVIRONMENTS = "environments";

/**
 * Where entries lie, at the mount's top and in the folder of an environment, as a policy of Vault names it; `+` is any one part of a path.
 * Policies do not end in `*`: Vault 1.21 takes `..` that comes encoded for a part like any other, and its KV store resolves it after the
 * check, so that `environments/<stack>/*` would reach every entry. From so few parts, `..` leads to no entry of another stack, since
 * these have three parts at least (docs/adr/0020-depth-of-vault-entries.md).
 */
export const ENTRY_PLACES: readonly string[] = ["+", "+/+", `${STORE}/+`];

/** Whether secrets/ may have an entry there. */
export function isEntryPlace(path: string): boolean {
  const parts = path.split("/");
  if (parts[0] === CLUSTERS || parts[0] === ENVIRONMENTS) return false;
  return ENTRY_PLACES.map((place) => place.split("/")).some(
    (place) => place.length === parts.length && place.every((one, at) => one === "+" || one === parts[at]),
  );
}

/** The homelab's own certificate authority, where it has one: path and keys of certificate and key, as PEM. */
export const OWN_AUTHORITY = { path: "certificate-authority", certificate: "tls.crt", key: "tls.key" } as const;
