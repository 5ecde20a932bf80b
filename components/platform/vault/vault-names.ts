/**
 * What Vault holds for a stack and for its namespaces, by name: the stack `tools` makes it, and the other stacks refer to it.
 * Loads no Pulumi SDK.
 */

/** For whom tokens of service accounts are made that log in to Vault: the cluster's own API takes none of them. */
export const VAULT_AUDIENCE = "vault";

/** Policy and token of the stack that manages Vault. */
export const MANAGER = "homelab-tools";

/** What a namespace may read, and who reads it there. */
export interface NamespaceGrant {
  /** In which the reader lives. */
  namespace: string;
  /** Role of the stack's auth mount. */
  role: string;
  /** Service account that logs in. */
  reader: string;
  /** Entries, below the mount. */
  paths: readonly string[];
}

export interface StackGrant {
  stack: string;
  /** Whether it writes what all stacks share: the one that brings Git's entries to Vault. */
  writesCommon: boolean;
  namespaces: readonly NamespaceGrant[];
}

// Neither stacks nor namespaces have a dot or a slash in their names, so no two of them have one name here.
export const authMountOf = (stack: string): string => `kubernetes/${stack}`;
export const stackPolicyName = (stack: string): string => `stack.${stack}`;
export const namespacePolicyName = (stack: string, role: string): string => `namespace.${stack}.${role}`;
/** What a stack itself writes about its cluster lies below it, by stack. */
const CLUSTERS = "clusters";
export const kubeconfigEntry = (stack: string): string => `${CLUSTERS}/${stack}/kubeconfig`;
/** By which an Argo CD of another stack reaches the cluster; keys {@link ARGO_CD_ACCESS_KEYS}. */
export const argoCdAccessEntry = (stack: string): string => `${CLUSTERS}/${stack}/argo-cd`;
/** Token of the account, and the cluster's certificate authority as base64 of PEM. */
export const ARGO_CD_ACCESS_KEYS = { token: "token", authority: "caData" } as const;
/** Whether an entry is written by a stack when it is built: secrets/ has none of it. */
export const isWrittenByStack = (path: string): boolean => path.startsWith(`${CLUSTERS}/`);
