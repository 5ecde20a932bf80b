import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import type { NamespaceArgs } from "../../base/namespace";
import { type BuildModule, formerServices } from "../context";
import { VAULT_ACCESS_NAMESPACE } from "../namespace-grants";
import { kubeconfigEntry } from "../vault/vault-names";
import { VaultEntries } from "../vault-entries/vault-entries";
import { VaultClusterAccess } from "./vault-cluster-access";

export interface ClusterAccessArgs {
  /** Namespace of the account that Vault uses to review tokens. */
  namespace: NamespaceArgs;
  stack: string;
  /** Path of Vault's KV mount. */
  kvMount: pulumi.Input<string>;
  /** Identifies the Vault, where another stack runs it. */
  vaultId?: pulumi.Input<string> | undefined;
  /** `https://<address>:6443` */
  endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  ca: pulumi.Input<string>;
  /** Secret. */
  kubeconfig: pulumi.Input<string>;
  /** Values of this environment alone, by their path in Vault. */
  ownEntries: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Connects a cluster with Vault: Vault gets its kubeconfig and the environment's own values, and its service accounts can log in there. */
export class ClusterAccess extends Component {
  /** Auth mount of the cluster in Vault; known once service accounts can log in. */
  readonly authMount: pulumi.Output<string>;

  constructor(name: string, args: ClusterAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ClusterAccess", name, opts);
    const place = { mount: args.kvMount, vaultId: args.vaultId };
    new VaultEntries(
      `${name}-kubeconfig`,
      // Each cluster has an entry of its own, so that no writer overwrites another one's (ADR 7).
      { ...place, entries: new Map([[kubeconfigEntry(args.stack), { kubeconfig: args.kubeconfig }]]) },
      this.child(),
    );
    new VaultEntries(`${name}-own`, { ...place, entries: args.ownEntries, keepRemoved: true }, this.child());
    const access = new VaultClusterAccess(
      `${name}-vault-access`,
      { namespace: args.namespace, stack: args.stack, endpoint: args.endpoint, ca: args.ca, vaultId: args.vaultId },
      this.child(),
    );
    this.authMount = access.mount;
    this.registerOutputs({ authMount: this.authMount });
  }
}

export const buildClusterAccess: BuildModule<Record<string, never>> = (name, { context }, opts) => {
  const { endpoint, ca, kubeconfig } = context.cluster;
  const vault = context.need("vault");
  const component = new ClusterAccess(
    name,
    {
      namespace: context.namespace(VAULT_ACCESS_NAMESPACE),
      stack: context.place.environment,
      kvMount: vault.mount,
      vaultId: vault.id,
      endpoint,
      ca,
      kubeconfig,
      ownEntries: context.programSecrets.own(),
    },
    { ...opts, aliases: [formerServices] },
  );
  return { component, gives: { authMount: component.authMount } };
};
