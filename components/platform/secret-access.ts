import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component } from "../base/component";
import { EXTERNAL_SECRETS_API } from "./external-secrets/values";
import { namespaceGrant, type WantedSecret } from "./namespace-grants";
import { entryPath, type Place } from "./place";
import { type VaultStoreArgs, vaultStore } from "./vault-store";

export interface SecretAccessArgs {
  /** Namespace that gets the secrets; known once it exists. */
  namespace: pulumi.Input<string>;
  /** The same as plain text, for names. */
  namespaceName: string;
  vaultAddress: pulumi.Input<string>;
  /** Authority to trust there; see {@link VaultStoreArgs}. */
  authority: VaultStoreArgs["authority"];
  /** Auth mount of the cluster ({@link VaultClusterAccess.mount}); its role of the namespace's name is {@link namespaceGrant}'s. */
  authMount: pulumi.Input<string>;
  secrets: readonly WantedSecret[];
  /** Entries for which the environment has values of its own, with the path at which Vault keeps those. */
  ownEntries: Place["ownEntries"];
}

function templateOf({ labels, texts }: WantedSecret): { template?: object } {
  if (labels === undefined && texts === undefined) return {};
  return { template: { ...(labels === undefined ? {} : { metadata: { labels } }), ...(texts === undefined ? {} : { data: texts }) } };
}

/** How a namespace of the cluster gets its Secrets. @param created the namespace's name, known once it exists */
export type SecretsOfNamespace = (namespace: string, created: pulumi.Input<string>, wanted: readonly WantedSecret[]) => SecretAccessArgs;

/**
 * Gives one namespace its own secrets: an identity, a store that only this namespace may use, and the Secrets. Another namespace cannot
 * read them: Vault refuses its identity.
 */
export class SecretAccess extends Component {
  /** Names of the Secrets; known once their ExternalSecrets exist. */
  readonly secretNames: pulumi.Output<string[]>;

  constructor(name: string, args: SecretAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:SecretAccess", name, opts);
    const storeName = `vault-${args.namespaceName}`;
    const store = vaultStore(
      name,
      {
        store: storeName,
        conditions: [{ namespaces: [args.namespace] }],
        grant: namespaceGrant(args.namespaceName, args.secrets, args),
        namespace: args.namespace,
        vaultAddress: args.vaultAddress,
        authority: args.authority,
        authMount: args.authMount,
      },
      (opts) => this.child(opts),
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
              target: {
                name: secret.name,
                creationPolicy: "Owner",
                ...(secret.mayBeMissing === true ? { deletionPolicy: "Delete" } : {}),
                ...templateOf(secret),
              },
              data: Object.entries(secret.data).map(([secretKey, { path, key }]) => ({ secretKey, remoteRef: { key: entryPath(args, path), property: key } })),
            },
          },
          this.child({ dependsOn: [store] }),
        ),
    );
    this.secretNames = after(
      wanted,
      args.secrets.map((secret) => secret.name),
    );
    this.registerOutputs({ secretNames: this.secretNames });
  }
}
