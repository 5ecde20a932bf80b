import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { type BuildModule, formerPart } from "../context";
import { EXTERNAL_SECRETS_API } from "../external-secrets/values";
import { EXTERNAL_SECRETS_NAMESPACE, SHARED_SECRET, sharedGrant } from "../namespace-grants";
import { entryPath } from "../place";
import { type VaultStoreArgs, vaultStore } from "../vault-store";
import type { SharedSecretsOptions } from "./options";
import { flatKeys, sharedEntries } from "./values";

const STORE = "vault-shared";

export interface SharedSecretsArgs {
  /** Namespace of the identity that reads Vault. */
  namespace: pulumi.Input<string>;
  vaultAddress: pulumi.Input<string>;
  /** Authority to trust there; see {@link VaultStoreArgs}. */
  authority: VaultStoreArgs["authority"];
  authMount: pulumi.Input<string>;
  /** Entries by path below the mount, with the keys that go into the Secret. */
  entries: ReadonlyMap<string, readonly string[]>;
}

/**
 * One Secret with the named entries in every namespace that is labelled `cluster-secrets=true`, for software that still needs it.
 * Everything in it is readable in each of those namespaces. New applications use a SecretAccess instead.
 */
export class SharedSecrets extends Component {
  constructor(name: string, args: SharedSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:SharedSecrets", name, opts);
    const data = [...flatKeys(args.entries)].map(([secretKey, path]) => ({ secretKey, remoteRef: { key: path, property: secretKey } }));
    const labelled = { matchLabels: { [SHARED_SECRET]: "true" } };
    const store = vaultStore(
      name,
      {
        store: STORE,
        conditions: [{ namespaceSelector: labelled }],
        grant: sharedGrant([...args.entries.keys()]),
        namespace: args.namespace,
        vaultAddress: args.vaultAddress,
        authority: args.authority,
        authMount: args.authMount,
      },
      (own) => this.child(own),
    );
    new CustomResource(
      `${name}-secret`,
      {
        apiVersion: EXTERNAL_SECRETS_API,
        kind: "ClusterExternalSecret",
        metadata: { name: SHARED_SECRET },
        spec: {
          externalSecretName: SHARED_SECRET,
          namespaceSelector: labelled,
          refreshTime: "1m",
          externalSecretSpec: {
            refreshInterval: "1m",
            secretStoreRef: { kind: "ClusterSecretStore", name: STORE },
            target: { name: SHARED_SECRET, creationPolicy: "Owner" },
            data,
          },
        },
      },
      this.child({ dependsOn: [store] }),
    );
    this.registerOutputs({});
  }
}

export const buildSharedSecrets: BuildModule<SharedSecretsOptions> = (name, { options, context }, opts) => {
  const { place } = context;
  const args = {
    namespace: EXTERNAL_SECRETS_NAMESPACE,
    vaultAddress: context.need("vault").address,
    authority: context.vaultAuthority,
    authMount: context.need("authMount"),
    entries: new Map([...sharedEntries(options, place)].map(([path, keys]) => [entryPath(place, path), keys])),
  };
  return { component: new SharedSecrets(name, args, { ...opts, aliases: [formerPart("shared")] }) };
};
