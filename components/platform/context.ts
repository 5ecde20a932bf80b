/** What a module is given when it is built. */

import type { Provider as CommandProvider } from "@pulumi/command/provider";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { OWN_AUTHORITY } from "../../common/vault-layout";
import { reachedBy } from "../base/cluster-command";
import type { NamespaceArgs } from "../base/namespace";
import type { WantedSecret } from "./namespace-grants";
import type { Place } from "./place";
import type { SecretAccessArgs } from "./secret-access";
import type { StackGrant } from "./vault/vault-names";

type Entries = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** A Vault as the environment reaches it. */
export interface VaultAccess {
  readonly address: pulumi.Input<string>;
  /** Path of its KV mount. */
  readonly mount: pulumi.Input<string>;
  /** Identifies the Vault, where another stack runs it. */
  readonly id?: pulumi.Input<string> | undefined;
  /** With the environment's own token. */
  readonly provider: VaultProvider;
}

/** What modules give to those that are built after them. */
export interface Given {
  /** ClusterIssuer for certificates of routes; known once it exists. */
  readonly issuer?: pulumi.Output<string>;
  readonly vault?: VaultAccess;
  /** Token of each stack; secret. Given only in the environment that runs Vault. */
  readonly vaultTokens?: pulumi.Output<Record<string, string>>;
  /** Identifies this Vault: another value after each rebuild. Given only in the environment that runs it. */
  readonly vaultId?: pulumi.Output<string>;
  /** Auth mount of the cluster in Vault; known once service accounts can log in. */
  readonly authMount?: pulumi.Output<string>;
}

/** The cluster that modules are built in. */
export interface BuiltCluster {
  /** All resources in the cluster inherit it. */
  readonly provider: KubernetesProvider;
  /** `https://<address>:6443` */
  readonly endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  readonly ca: pulumi.Input<string>;
  /** Secret. */
  readonly kubeconfig: pulumi.Input<string>;
  /** Identifies this cluster: another value after each rebuild. */
  readonly instance: pulumi.Input<string>;
}

/** Decrypted values, as far as the stack has them. */
export interface ProgramSecrets {
  /** One value as a secret. @throws HomelabError E_SECRET_MISSING naming path and key */
  get(path: string, key: string): pulumi.Output<string>;
  /** Entries that all stacks share. The values are plain text: pass them on as secrets only. */
  all(): Entries;
  /** Entries for which the stack has values of its own, by the path at which Vault keeps them. */
  own(): Entries;
}

export interface ContextArgs {
  readonly place: Place;
  readonly cluster: BuiltCluster;
  /** For commands on this machine. */
  readonly command: CommandProvider;
  readonly secrets: ProgramSecrets;
  /** Folder of the checkout, for local commands. */
  readonly checkout: string;
  /** What each stack and each namespace may do in Vault. */
  readonly grants: readonly StackGrant[];
  /** What the plan says of each namespace, by name. */
  readonly namespaces: ReadonlyMap<string, NamespaceArgs>;
  /** What other stacks give. */
  readonly given?: Given;
}

/** One environment, for all modules that are built in it. */
export class ClusterContext {
  readonly place: Place;
  readonly cluster: BuiltCluster;
  readonly programSecrets: ProgramSecrets;
  readonly checkout: string;
  readonly grants: readonly StackGrant[];
  readonly given: Given;

  constructor(private readonly args: ContextArgs) {
    this.place = args.place;
    this.cluster = args.cluster;
    this.programSecrets = args.secrets;
    this.checkout = args.checkout;
    this.grants = args.grants;
    this.given = args.given ?? {};
    reachedBy(args.cluster.provider, { kubeconfig: args.cluster.kubeconfig, checkout: args.checkout });
  }

  /** The same context, with more given values. */
  with(more: Given): ClusterContext {
    return new ClusterContext({ ...this.args, given: { ...this.given, ...more } });
  }

  /** A value that another module gives. The plan ensures that this module is built first. */
  need<K extends keyof Given>(key: K): NonNullable<Given[K]> {
    const value = this.given[key];
    if (value === undefined) throw new Error(`the plan built a module before the one that gives its ${key}`);
    return value;
  }

  /** What the plan says of a namespace of the module: its labels and policies. */
  namespace(name: string): NamespaceArgs {
    const planned = this.args.namespaces.get(name);
    if (planned === undefined) throw new Error(`the plan has no namespace "${name}"`);
    return planned;
  }

  /** The authority to trust at Vault's address, as PEM; undefined: the public ones. */
  get vaultAuthority(): pulumi.Output<string> | undefined {
    return this.place.vaultByOwnAuthority ? pulumi.unsecret(this.programSecrets.get(OWN_AUTHORITY.path, OWN_AUTHORITY.certificate)) : undefined;
  }

  /** Providers that a module's resources inherit. */
  providers(): Record<string, pulumi.ProviderResource> {
    const { cluster, command } = this.args;
    return { kubernetes: cluster.provider, command, ...(this.given.vault === undefined ? {} : { vault: this.given.vault.provider }) };
  }

  /** How a namespace gets Secrets with values of Vault. @param created the namespace's name, known once it exists */
  secrets(namespace: string, created: pulumi.Input<string>, wanted: readonly WantedSecret[]): SecretAccessArgs {
    return {
      namespaceName: namespace,
      namespace: created,
      vaultAddress: this.need("vault").address,
      authority: this.vaultAuthority,
      authMount: this.need("authMount"),
      ownEntries: this.place.ownEntries,
      secrets: wanted,
    };
  }
}

/** The result of building a module. */
export interface BuiltModule {
  readonly component: pulumi.Resource;
  /** For modules that are built after it. */
  readonly gives?: Given;
  /** URLs that people open, by name. */
  readonly urls?: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Builds a module. The options are checked; providers come by `opts.providers`. */
export type BuildModule<O> = (name: string, args: { options: O; context: ClusterContext }, opts: pulumi.ComponentResourceOptions) => BuiltModule;

/** The component that made what every cluster has, before that was split into modules. Older states contain it. */
const SERVICES = { type: "homelab:platform:ClusterServices", name: "services" } as const;

/** Alias of a component that was a child of `ClusterServices`: the engine finds it, and all below it, under the names in older states. */
export function formerPart(name: string): pulumi.Alias {
  return { name: `${SERVICES.name}-${name}`, parent: `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${SERVICES.type}::${SERVICES.name}` };
}

/** Alias of the module that took the place of `ClusterServices` itself. */
export const formerServices: pulumi.Alias = SERVICES;
