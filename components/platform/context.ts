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
  /** Which Vault it is, where another stack has it. */
  readonly id?: pulumi.Input<string> | undefined;
  /** With the environment's own token. */
  readonly provider: VaultProvider;
}

/** What modules give to those that are built after them. */
export interface Given {
  /** ClusterIssuer for certificates of routes; known once it is there. */
  readonly issuer?: pulumi.Output<string>;
  readonly vault?: VaultAccess;
  /** By stack: its token. Secret. Of the environment that has Vault. */
  readonly vaultTokens?: pulumi.Output<Record<string, string>>;
  /** Tells this Vault from one that stood at its address before. Of the environment that has it. */
  readonly vaultId?: pulumi.Output<string>;
  /** Auth mount of the cluster in Vault; known once service accounts can log in. */
  readonly authMount?: pulumi.Output<string>;
}

/** The cluster that modules are built in. */
export interface BuiltCluster {
  /** Is there for every resource of the cluster, and inherited by them. */
  readonly provider: KubernetesProvider;
  /** `https://<address>:6443` */
  readonly endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  readonly ca: pulumi.Input<string>;
  /** Secret. */
  readonly kubeconfig: pulumi.Input<string>;
  /** Differs from the cluster that was there before. */
  readonly instance: pulumi.Input<string>;
}

/** Decrypted values, as far as the stack has them. */
export interface ProgramSecrets {
  /** One value as a secret. @throws HomelabError E_SECRET_MISSING naming path and key */
  get(path: string, key: string): pulumi.Output<string>;
  /** What all stacks share; values are plain and must be given on as secrets only. */
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

  /** The same with more that is given. */
  with(more: Given): ClusterContext {
    return new ClusterContext({ ...this.args, given: { ...this.given, ...more } });
  }

  /** Something that a module gives, which the plan has made sure of. */
  need<K extends keyof Given>(key: K): NonNullable<Given[K]> {
    const value = this.given[key];
    if (value === undefined) throw new Error(`the plan built a module before the one that gives its ${key}`);
    return value;
  }

  /** What the plan says of a namespace of the module: how it is labelled, and what holds in it. */
  namespace(name: string): NamespaceArgs {
    const planned = this.args.namespaces.get(name);
    if (planned === undefined) throw new Error(`the plan has no namespace "${name}"`);
    return planned;
  }

  /** Whom to trust at Vault's address, as PEM; undefined: the authorities that everybody trusts. */
  get vaultAuthority(): pulumi.Output<string> | undefined {
    return this.place.vaultByOwnAuthority ? pulumi.unsecret(this.programSecrets.get(OWN_AUTHORITY.path, OWN_AUTHORITY.certificate)) : undefined;
  }

  /** Providers that a module's resources inherit. */
  providers(): Record<string, pulumi.ProviderResource> {
    const { cluster, command } = this.args;
    return { kubernetes: cluster.provider, command, ...(this.given.vault === undefined ? {} : { vault: this.given.vault.provider }) };
  }

  /** How a namespace gets Secrets with values of Vault. @param created the namespace's name, known once it is there */
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

/** What came of a module. */
export interface BuiltModule {
  readonly component: pulumi.Resource;
  /** For modules that are built after it. */
  readonly gives?: Given;
  /** URLs that people open, by name. */
  readonly urls?: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Builds a module. The options are checked; providers come by `opts.providers`. */
export type BuildModule<O> = (name: string, args: { options: O; context: ClusterContext }, opts: pulumi.ComponentResourceOptions) => BuiltModule;

/** The component of which all that every cluster has was made until it became modules. */
const SERVICES = { type: "homelab:platform:ClusterServices", name: "services" } as const;

/** For a component that was a part of the one before modules: the engine finds it, and all below it, under their names of then. */
export function formerPart(name: string): pulumi.Alias {
  return { name: `${SERVICES.name}-${name}`, parent: `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${SERVICES.type}::${SERVICES.name}` };
}

/** For the module that is the component of then itself. */
export const formerServices: pulumi.Alias = SERVICES;
