import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { ARGO_CD_ACCESS_KEYS, argoCdAccessEntry } from "../vault/vault-names";
import { VaultEntries } from "../vault-entries/vault-entries";
import { ACCESS_NAMESPACE, ACCOUNT } from "./account";
import type { ArgoCdAccessOptions } from "./options";

export interface ArgoCdAccessArgs {
  /** The namespace of the account; nothing runs there. */
  namespace: NamespaceArgs;
  stack: string;
  /** Path of Vault's KV mount. */
  kvMount: pulumi.Input<string>;
  /** Identifies the Vault, where another stack runs it. */
  vaultId?: pulumi.Input<string> | undefined;
  /** Certificate authority of the cluster, PEM. */
  ca: pulumi.Input<string>;
}

/** The account of another stack's Argo CD, with its token in Vault. Its rights come with each application that it delivers (WebApp). */
export class ArgoCdAccess extends Component {
  constructor(name: string, args: ArgoCdAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ArgoCdAccess", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const metadata = { name: ACCOUNT, namespace };
    const account = new ServiceAccount(`${name}-account`, { metadata, automountServiceAccountToken: false }, this.child());
    const token = new Secret(
      `${name}-token`,
      {
        metadata: { ...metadata, annotations: { "kubernetes.io/service-account.name": account.metadata.name } },
        type: "kubernetes.io/service-account-token",
      },
      this.child({ additionalSecretOutputs: ["data"] }),
    );
    const values = {
      [ARGO_CD_ACCESS_KEYS.token]: pulumi.secret(token.data.apply((data) => Buffer.from(data?.["token"] ?? "", "base64").toString("utf8"))),
      [ARGO_CD_ACCESS_KEYS.authority]: pulumi.output(args.ca).apply((pem) => Buffer.from(pem).toString("base64")),
    };
    new VaultEntries(
      `${name}-entry`,
      { mount: args.kvMount, vaultId: args.vaultId, entries: new Map([[argoCdAccessEntry(args.stack), values]]) },
      this.child(),
    );
    this.registerOutputs({});
  }
}

export const buildArgoCdAccess: BuildModule<ArgoCdAccessOptions> = (name, { context }, opts) => {
  const { mount, id } = context.need("vault");
  const { ca } = context.cluster;
  const args = { namespace: context.namespace(ACCESS_NAMESPACE), stack: context.place.environment, kvMount: mount, vaultId: id, ca };
  return { component: new ArgoCdAccess(name, args, opts) };
};
