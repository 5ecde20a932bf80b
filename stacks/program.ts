/** The shape of a stack's program. Types only: nothing here loads the Pulumi SDK. */
import type * as pulumi from "@pulumi/pulumi";
import type { VmSpec } from "../components/hosts/vm-spec";
import type { StackGrant } from "../components/platform/vault-names";
import type { StackConfig } from "./config";
import type { PlannedRole } from "./host-roles";
import type { OutputValues, StackName } from "./outputs";
import type { Site } from "./site";

/** A stack's outputs while it runs. */
export type Outputs<N extends StackName> = { [K in keyof OutputValues<N>]: pulumi.Output<OutputValues<N>[K]> };

/** A value, or a map whose values may each be known at another time. */
type NestedInput<T> = T extends Record<string, infer V> ? pulumi.Input<Record<string, pulumi.Input<V>>> : pulumi.Input<T>;

/** A stack's outputs as its program returns them. */
export type OutputInputs<N extends StackName> = { [K in keyof OutputValues<N>]: NestedInput<OutputValues<N>[K]> };

/** Decrypted values by Vault path below the mount, such as `cluster-secret-store/secrets/MINIO`. */
export interface SecretReader {
  /** One value as a secret output. @throws HomelabError E_SECRET_MISSING naming path and key */
  get(path: string, key: string): pulumi.Output<string>;
  /** All paths with their keys and values; values are plain and must be given on as secrets only. */
  all(): ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Entries for which the stack has values of its own (secrets/<stack>), whole, by the path at which Vault keeps them. */
  own(): ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Names of the keys of all entries below a path, whether the stack decrypts them or not. */
  keysBelow(path: string): ReadonlyMap<string, readonly string[]>;
  /** Where Vault keeps an entry for this stack: its own one where there is one, the common one otherwise. */
  vaultPath(path: string): string;
}

/** An SSH jump host through which every VM is reached. */
export interface Bastion {
  host: string;
  port: number;
  user: string;
  /** Secret; OpenSSH or PEM text. */
  privateKey: string;
  /** As in known_hosts; any key is taken without it. */
  hostKey?: string | undefined;
}

/** What a stack's program gets. `D` is the stacks that it declared as needs: reading another one does not compile. */
export interface StackContext<D extends StackName> {
  stack: StackName;
  config: StackConfig;
  site: Site;
  /** The VMs that the stack owns, in the order of its definition. */
  vms: readonly VmSpec[];
  secrets: SecretReader;
  bastion: Bastion | undefined;
  /** What each host of the stack is made into, by VM. */
  roles: ReadonlyMap<string, readonly PlannedRole[]>;
  /** What every stack and its namespaces may do in Vault; the stack that Vault belongs to makes it so. */
  grants: () => readonly StackGrant[];
  /** Folder of the checkout, for local commands. */
  checkout: string;
  upstream: { readonly [K in D]: Outputs<K> };
}

export type StackProgram<N extends StackName, D extends StackName> = (context: StackContext<D>) => OutputInputs<N>;
