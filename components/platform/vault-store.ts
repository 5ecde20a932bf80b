import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { AuthBackendRole } from "@pulumi/vault/kubernetes/authBackendRole";
import { Policy } from "@pulumi/vault/policy";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { EXTERNAL_SECRETS_API } from "./external-secrets";
import { KV_MOUNT } from "./vault";

export interface VaultStoreArgs {
  /** Name of the ClusterSecretStore. */
  store: string;
  /** Which namespaces may use it: conditions of a ClusterSecretStore. */
  conditions: readonly object[];
  /** Service account that logs in to Vault, and its namespace. */
  reader: string;
  namespace: pulumi.Input<string>;
  vaultAddress: pulumi.Input<string>;
  /** Auth mount of the cluster. */
  authMount: pulumi.Input<string>;
  role: string;
  policy: string;
  /** Entries that may be read, below the mount. */
  paths: readonly string[];
}

/** A policy that lets its holder read these entries and nothing else. */
export function readPolicy(paths: readonly string[]): string {
  const rules = [...new Set(paths)].toSorted().map((path) => `path "${KV_MOUNT}/data/${path}" { capabilities = ["read"] }\n`);
  // Vault refuses an empty policy.
  return rules.length === 0 ? "# no entry\n" : rules.join("");
}

/** A store for ExternalSecrets, with an identity of its own that may read the entries that it names. */
export function vaultStore(name: string, args: VaultStoreArgs, kubernetes: KubernetesProvider, vault: VaultProvider, parent: pulumi.Resource): CustomResource {
  const account = new ServiceAccount(
    `${name}-reader`,
    { metadata: { name: args.reader, namespace: args.namespace }, automountServiceAccountToken: false },
    { parent, provider: kubernetes },
  );
  const policy = new Policy(`${name}-policy`, { name: args.policy, policy: readPolicy(args.paths) }, { parent, provider: vault });
  const role = new AuthBackendRole(
    `${name}-role`,
    {
      backend: args.authMount,
      roleName: args.role,
      boundServiceAccountNames: [args.reader],
      boundServiceAccountNamespaces: [args.namespace],
      tokenPolicies: [policy.name],
      tokenTtl: 3600,
    },
    { parent, provider: vault, dependsOn: [account] },
  );
  const auth = { mountPath: args.authMount, role: role.roleName, serviceAccountRef: { name: args.reader, namespace: args.namespace } };
  return new CustomResource(
    `${name}-store`,
    {
      apiVersion: EXTERNAL_SECRETS_API,
      kind: "ClusterSecretStore",
      metadata: { name: args.store },
      spec: {
        conditions: args.conditions,
        provider: { vault: { server: args.vaultAddress, path: KV_MOUNT, version: "v2", auth: { kubernetes: auth } } },
      },
    },
    { parent, provider: kubernetes, dependsOn: [role] },
  );
}
