import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Component } from "../base/component";
import { EXTERNAL_SECRETS_API } from "./external-secrets";
import { vaultStore } from "./vault-store";

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

/**
 * One namespace's way to its own secrets: an identity, a policy with the entries that it names, a store that only this
 * namespace may use, and the Secrets. Another namespace cannot read them: Vault refuses its identity.
 */
export class SecretAccess extends Component {
  /** Names of the Secrets; known once they are asked for. */
  readonly secretNames: pulumi.Output<string[]>;

  constructor(name: string, args: SecretAccessArgs, kubernetes: KubernetesProvider, vault: VaultProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:SecretAccess", name, opts);
    const place = args.vaultPath ?? ((path: string) => path);
    const storeName = `vault-${args.namespaceName}`;
    const store = vaultStore(
      name,
      {
        store: storeName,
        conditions: [{ namespaces: [args.namespace] }],
        reader: "vault-reader",
        namespace: args.namespace,
        vaultAddress: args.vaultAddress,
        authMount: args.authMount,
        role: args.namespaceName,
        policy: `cluster-${args.stack}-${args.namespaceName}`,
        paths: args.secrets.flatMap(({ data }) => Object.values(data).map(({ path }) => place(path))),
      },
      kubernetes,
      vault,
      this,
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
}
