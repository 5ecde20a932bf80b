import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../../common/errors";
import { Component } from "../base/component";
import { EXTERNAL_SECRETS_API } from "./external-secrets";
import { SHARED_SECRET, sharedGrant } from "./namespace-grants";
import { vaultStore } from "./vault-store";

const STORE = "vault-shared";

export interface SharedSecretsArgs {
  /** Namespace of the identity that reads Vault. */
  namespace: pulumi.Input<string>;
  vaultAddress: pulumi.Input<string>;
  authMount: pulumi.Input<string>;
  /** Entries by path below the mount, with the keys that go into the Secret. */
  entries: ReadonlyMap<string, readonly string[]>;
}

/**
 * Where each key of the flat Secret comes from.
 * @throws HomelabError E_SECRET_COLLISION where two entries have a key of one name: only one of them could be in the Secret
 */
export function flatKeys(entries: SharedSecretsArgs["entries"]): Map<string, string> {
  const owner = new Map<string, string>();
  for (const [path, keys] of entries) {
    for (const key of keys) {
      const other = owner.get(key);
      if (other !== undefined) {
        throw new HomelabError("E_SECRET_COLLISION", `"${key}" is a key of ${other} and of ${path}: ${SHARED_SECRET} can hold one of them`, {
          subject: path,
          hint: "leave one of the entries out of the shared Secret, or give the namespace that needs it a SecretAccess of its own",
        });
      }
      owner.set(key, path);
    }
  }
  return owner;
}

/**
 * One Secret with the named entries in every namespace that is labelled `cluster-secrets=true`: for what still needs it.
 * Everything in it is readable in each of those namespaces; a SecretAccess is what new applications take.
 */
export class SharedSecrets extends Component {
  constructor(name: string, args: SharedSecretsArgs, kubernetes: KubernetesProvider, opts?: pulumi.ComponentResourceOptions) {
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
        authMount: args.authMount,
      },
      kubernetes,
      this,
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
      this.child({ provider: kubernetes, dependsOn: [store] }),
    );
    this.registerOutputs({});
  }
}
