/** Where values lie in Vault, and in secrets/, which has the same paths. */

/** The one KV mount, version 2; the top of every file of secrets/. */
export const KV_MOUNT = "kv";

/** Below it: the entries of the program and of what it builds, one a file. */
const STORE = "cluster-secret-store/secrets";

/** The path of such an entry below the mount; without a name, of the folder that has them. */
export const storePath = (entry?: string): string => (entry === undefined ? STORE : `${STORE}/${entry}`);

/** The homelab's own certificate authority, where it has one: path and keys of certificate and key, as PEM. */
export const OWN_AUTHORITY = { path: "certificate-authority", certificate: "tls.crt", key: "tls.key" } as const;
