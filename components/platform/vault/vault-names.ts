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
export const kubeconfigEntry = (stack: string): string => `clusters/${stack}/kubeconfig`;
