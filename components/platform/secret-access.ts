import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { AuthBackendRole } from "@pulumi/vault/kubernetes/authBackendRole";
import { Policy } from "@pulumi/vault/policy";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Component } from "../base/component";
import { EXTERNAL_SECRETS_API } from "./external-secrets";
import { KV_MOUNT } from "./vault";

/** What a namespace wants from Vault: a Kubernetes Secret of its own with values that it names. */
export interface WantedSecret {
  /** Name of the Kubernetes Secret. */
  name: string;
  /** Key in the Secret to the entry's path below the mount and the key there. */
  data: Record<string, { path: string; key: string }>;
}

export interface SecretAccessArgs {
  stack: string;
  /** Namespace that gets the secrets; known once it is there. */
  namespace: pulumi.Input<string>;
  /** The same as plain text, for names. */
  namespaceName: string;
  vaultAddress: pulumi.Input<string>;
  /** Auth mount of the cluster ({@link VaultClusterAccess.mount}). */
  authMount: pulumi.Input<string>;
  secrets: readonly WantedSecret[];
  /** Where Vault keeps an entry for this environment. Default: the common place. */
  vaultPath?: ((path: string) => string) | undefined;
}

const READER = "vault-reader";

/** A policy that lets its holder read these entries and nothing else. */
export function readPolicy(paths: readonly string[]): string {
  return [...new Set(paths)]
    .toSorted()
    .map((path) => `path "${KV_MOUNT}/data/${path}" { capabilities = ["read"] }\n`)
    .join("");
}

const placeOf = ({ vaultPath }: SecretAccessArgs): ((path: string) => string) => vaultPath ?? ((path) => path);

/**
 * One namespace's way to its own secrets: an identity, a policy with the entries that it names, a store that only this
 * namespace may use, and the Secrets. Another namespace cannot read them: Vault refuses its identity.
 */
export class SecretAccess extends Component {
  /** Names of the Secrets; known once they are asked for. */
  readonly secretNames: pulumi.Output<string[]>;

  constructor(name: string, args: SecretAccessArgs, kubernetes: KubernetesProvider, vault: VaultProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:SecretAccess", name, opts);
    const place = placeOf(args);
    const role = this.identity(name, args, kubernetes, vault);
    const storeName = `vault-${args.namespaceName}`;
    const store = new CustomResource(
      `${name}-store`,
      {
        apiVersion: EXTERNAL_SECRETS_API,
        kind: "ClusterSecretStore",
        metadata: { name: storeName },
        spec: {
          conditions: [{ namespaces: [args.namespace] }],
          provider: {
            vault: {
              server: args.vaultAddress,
              path: KV_MOUNT,
              version: "v2",
              auth: {
                kubernetes: { mountPath: args.authMount, role: role.roleName, serviceAccountRef: { name: READER, namespace: args.namespace } },
              },
            },
          },
        },
      },
      this.child({ provider: kubernetes, dependsOn: [role] }),
    );
    const wanted = args.secrets.map(
      (secret) =>
        new CustomResource(
          `${name}-${secret.name}`,
          {
            apiVersion: EXTERNAL_SECRETS_API,
            kind: "ExternalSecret",
            metadata: { name: secret.name, namespace: args.namespace },
            spec: {
              refreshInterval: "1m",
              secretStoreRef: { kind: "ClusterSecretStore", name: storeName },
              target: { name: secret.name, creationPolicy: "Owner" },
              data: Object.entries(secret.data).map(([secretKey, { path, key }]) => ({ secretKey, remoteRef: { key: place(path), property: key } })),
            },
          },
          this.child({ provider: kubernetes, dependsOn: [store] }),
        ),
    );
    this.secretNames = pulumi.all(wanted.map((resource) => resource.id)).apply(() => args.secrets.map((secret) => secret.name));
    this.registerOutputs({ secretNames: this.secretNames });
  }

  private identity(name: string, args: SecretAccessArgs, kubernetes: KubernetesProvider, vault: VaultProvider): AuthBackendRole {
    const place = placeOf(args);
    const account = new ServiceAccount(
      `${name}-reader`,
      { metadata: { name: READER, namespace: args.namespace }, automountServiceAccountToken: false },
      this.child({ provider: kubernetes }),
    );
    const policy = new Policy(
      `${name}-policy`,
      {
        name: `cluster-${args.stack}-${args.namespaceName}`,
        policy: readPolicy(args.secrets.flatMap(({ data }) => Object.values(data).map(({ path }) => place(path)))),
      },
      this.child({ provider: vault }),
    );
    return new AuthBackendRole(
      `${name}-role`,
      {
        backend: args.authMount,
        roleName: args.namespaceName,
        boundServiceAccountNames: [READER],
        boundServiceAccountNamespaces: [args.namespace],
        tokenPolicies: [policy.name],
        tokenTtl: 3600,
      },
      this.child({ provider: vault, dependsOn: [account] }),
    );
  }
}
