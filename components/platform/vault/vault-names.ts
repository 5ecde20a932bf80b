/**
 * Names of what Vault has for a stack and its namespaces: the stack that runs Vault makes it, and the
 * others refer to it.
 * Loads no Pulumi SDK.
 */
import { CLUSTERS } from "../../../common/vault-layout";

/** Audience of the service accounts' tokens for Vault. The cluster's own API does not accept such a token. */
export const VAULT_AUDIENCE = "vault";

/** Policy and token of the stack that runs Vault, whatever its name is. In a Vault that is set up already, they have this name. */
export const MANAGER = "homelab-tools";

/** What a namespace may read, and by which service account. */
export interface NamespaceGrant {
  /** Namespace of the reader. */
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
  /** Whether it writes the entries that all stacks share: it copies those of Git to Vault. */
  writesCommon: boolean;
  namespaces: readonly NamespaceGrant[];
}

// Names of stacks and namespaces contain no dot and no slash, so no two of these names are the same.
export const authMountOf = (stack: string): string => `kubernetes/${stack}`;
export const stackPolicyName = (stack: string): string => `stack.${stack}`;
export const namespacePolicyName = (stack: string, role: string): string => `namespace.${stack}.${role}`;
export const kubeconfigEntry = (stack: string): string => `${CLUSTERS}/${stack}/kubeconfig`;
/** Entry by which the Argo CD of another stack reaches the cluster; its keys are {@link ARGO_CD_ACCESS_KEYS}. */
export const argoCdAccessEntry = (stack: string): string => `${CLUSTERS}/${stack}/argo-cd`;
/** Token of the account, and the cluster's certificate authority as base64 of PEM. */
export const ARGO_CD_ACCESS_KEYS = { token: "token", authority: "caData" } as const;
/** Whether a stack writes the entry when it is built: secrets/ does not have it. */
export const isWrittenByStack = (path: string): boolean => path.startsWith(`${CLUSTERS}/`);
