import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Component } from "../base/component";
import { ExternalDns } from "./external-dns";
import { ExternalSecrets } from "./external-secrets";
import { SharedSecrets } from "./shared-secrets";
import { VaultClusterAccess } from "./vault-cluster-access";
import { VaultEntries } from "./vault-entries";
import { kubeconfigEntry } from "./vault-names";

export interface ClusterServicesArgs {
  stack: string;
  /** Full names that routes of this cluster may have. */
  hostNames: readonly string[];
  piholeUrl: string;
  vaultAddress: pulumi.Input<string>;
  /** Path of Vault's KV mount. */
  kvMount: pulumi.Input<string>;
  /** Which Vault it is, where another stack has it. */
  vaultId?: pulumi.Input<string> | undefined;
  /** `https://<address>:6443` */
  endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  ca: pulumi.Input<string>;
  /** Secret. */
  kubeconfig: pulumi.Input<string>;
  /** Values of this environment alone, by their path in Vault. */
  ownEntries: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Entries and keys of the shared Secret; undefined = there is none, as should be. */
  sharedSecrets?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Where Vault keeps an entry for this environment. */
  vaultPath: (path: string) => string;
}

/** What every cluster has once Vault is there: its entry in Vault, a way in, External Secrets and names in Pi-hole. */
export class ClusterServices extends Component {
  /** Auth mount of the cluster in Vault, for further {@link SecretAccess}. */
  readonly authMount: pulumi.Output<string>;
  /** What a {@link SecretAccess} depends on. */
  readonly externalSecrets: ExternalSecrets;

  constructor(name: string, args: ClusterServicesArgs, kubernetes: KubernetesProvider, vault: VaultProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ClusterServices", name, opts);
    const parent = { parent: this };
    const place = { mount: args.kvMount, vaultId: args.vaultId };
    new VaultEntries(
      `${name}-kubeconfig`,
      // An entry of its own for each cluster: no writer can lose another one's (ADR 7).
      { ...place, entries: new Map([[kubeconfigEntry(args.stack), { kubeconfig: args.kubeconfig }]]) },
      vault,
      parent,
    );
    const own = new VaultEntries(`${name}-own`, { ...place, entries: args.ownEntries, keepRemoved: true }, vault, parent);
    const access = new VaultClusterAccess(
      `${name}-vault-access`,
      { stack: args.stack, endpoint: args.endpoint, ca: args.ca, vaultId: args.vaultId },
      kubernetes,
      vault,
      parent,
    );
    this.authMount = access.mount;
    this.externalSecrets = new ExternalSecrets(`${name}-external-secrets`, kubernetes, parent);
    new ExternalDns(
      `${name}-external-dns`,
      {
        hostNames: args.hostNames,
        piholeUrl: args.piholeUrl,
        vaultAddress: args.vaultAddress,
        authMount: this.authMount,
        vaultPath: args.vaultPath,
      },
      kubernetes,
      { parent: this, dependsOn: [this.externalSecrets, own] },
    );
    if (args.sharedSecrets !== undefined) {
      new SharedSecrets(
        `${name}-shared`,
        {
          namespace: this.externalSecrets.namespace,
          vaultAddress: args.vaultAddress,
          authMount: this.authMount,
          entries: new Map([...args.sharedSecrets].map(([path, keys]) => [args.vaultPath(path), keys])),
        },
        kubernetes,
        { parent: this, dependsOn: [this.externalSecrets, own] },
      );
    }
    this.registerOutputs({ authMount: this.authMount });
  }
}
