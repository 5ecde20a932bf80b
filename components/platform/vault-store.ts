import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import * as pulumi from "@pulumi/pulumi";
import { KV_MOUNT } from "../../common/vault-layout";
import { EXTERNAL_SECRETS_API } from "./external-secrets/values";
import { type NamespaceGrant, VAULT_AUDIENCE } from "./vault/vault-names";

export interface VaultStoreArgs {
  /** Name of the ClusterSecretStore. */
  store: string;
  /** Which namespaces may use it: conditions of a ClusterSecretStore. */
  conditions: readonly object[];
  /** Service account that logs in, and its role. */
  grant: Pick<NamespaceGrant, "reader" | "role">;
  /** Namespace of the service account that logs in; known once it exists. */
  namespace: pulumi.Input<string>;
  vaultAddress: pulumi.Input<string>;
  /** Authority to trust at that address, as PEM; undefined: the public ones. */
  authority: pulumi.Input<string> | undefined;
  /** Auth mount of the cluster. */
  authMount: pulumi.Input<string>;
}

/** A store for ExternalSecrets, with an identity of its own. The stack that runs Vault decides what the identity may read. */
export function vaultStore(
  name: string,
  args: VaultStoreArgs,
  child: <T extends pulumi.CustomResourceOptions>(opts?: T) => pulumi.CustomResourceOptions,
): CustomResource {
  const { reader, role } = args.grant;
  const account = new ServiceAccount(`${name}-reader`, { metadata: { name: reader, namespace: args.namespace }, automountServiceAccountToken: false }, child());
  const caBundle = args.authority === undefined ? {} : { caBundle: pulumi.output(args.authority).apply((pem) => Buffer.from(pem).toString("base64")) };
  const serviceAccountRef = { name: reader, namespace: args.namespace, audiences: [VAULT_AUDIENCE] };
  return new CustomResource(
    `${name}-store`,
    {
      apiVersion: EXTERNAL_SECRETS_API,
      kind: "ClusterSecretStore",
      metadata: { name: args.store },
      spec: {
        conditions: args.conditions,
        provider: {
          vault: {
            server: args.vaultAddress,
            ...caBundle,
            path: KV_MOUNT,
            version: "v2",
            auth: { kubernetes: { mountPath: args.authMount, role, serviceAccountRef } },
          },
        },
      },
    },
    child({ dependsOn: [account] }),
  );
}
