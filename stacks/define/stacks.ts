/** The matrix of one homelab: which stacks there are, what each needs, its VMs, and what runs in it with which options. */
import type { ModuleName, PlatformOptions } from "../../components/platform/catalogue";
import type { App, ImageOf, OutputOf } from "./app";

/**
 * What a VM is for. `cluster`: the stack's cluster runs on it. `host`: nothing beside the VM itself, or what
 * `homelab:kubeadm` makes of it. The others have a setting of their name in `Pulumi.<stack>.yaml`.
 */
export const VM_DUTIES = ["cluster", "dns", "haproxy", "teleport", "boot-server", "host"] as const;
export type VmDuty = (typeof VM_DUTIES)[number];

/** One environment. Its place in the list is the order in which people see it; the order of a run follows from `needs`. */
export interface Stack<N extends string = string> {
  readonly description: string;
  /** The stacks whose outputs it may read, and that are up before it. */
  readonly needs: readonly N[];
  /** The VMs that it owns, names of files in site/vms/, each with what it is for. */
  readonly vms: Readonly<Record<string, VmDuty>>;
  /** It prepares the Proxmox nodes: storages, bridges, images and the templates that all VMs are cloned from. One stack does. */
  readonly proxmox?: true;
  /** Every change of it must be approved: `homelab up` asks for the homelab's name, and with `--yes` needs `--approve <stack>` or `--approve production`. */
  readonly production?: true;
  /**
   * A command that saves what the stack holds: words, run without a shell in the checkout before `homelab` deletes or replaces what holds
   * data of it. What is about to be lost is in its environment, HOMELAB_BACKUP, as JSON (docs/runs.md). Where it fails, nothing is changed.
   */
  readonly backup?: readonly [string, ...string[]];
  /**
   * A command that says whether the applications of the stack work: words, run without a shell in the checkout before `homelab promote`
   * takes an image from it. Application, stack and image are in its environment, HOMELAB_PROMOTION, as JSON.
   */
  readonly verify?: readonly [string, ...string[]];
  /** Modules of the platform, each with its options. */
  readonly platform: PlatformOptions;
  /** Applications by name, which is also that of their namespace. */
  readonly apps?: Readonly<Record<string, App>>;
}

/** What every stack gives to those that need it. */
export const ENVIRONMENT_OUTPUTS = ["kubeconfig", "clusterEndpoint", "vms", "hosts", "inventory", "sshConfig", "urls", "images"] as const;

type Text<K> = Extract<K, string>;
type AppOutputs<A> = A extends { readonly outputs: infer O } ? Text<keyof O> : never;

/** Names of the outputs of a stack that an application may take. */
type OutputsOf<S> = "clusterEndpoint" | (S extends { readonly apps: infer A } ? AppOutputs<A[keyof A]> : never);

/** Names of the applications of a stack. */
type AppsOf<S> = S extends { readonly apps: infer A } ? Text<keyof A> : never;

/** References to the outputs of the stacks that a stack needs, and to no others. */
type Allowed<S, K extends keyof S> = S[K] extends { readonly needs: readonly (infer N)[] }
  ? { [M in Extract<N, keyof S & string>]: OutputOf<M, OutputsOf<S[M]>> | ImageOf<M, AppsOf<S[M]>> }[Extract<N, keyof S & string>]
  : never;

type Known<T, K extends PropertyKey> = { readonly [X in Exclude<keyof T, K>]: never };
/** The options as they are written, where each key is one that the module has. */
type Options<Written, Wanted> = Wanted & (Written extends object ? Known<Written, keyof NonNullable<Wanted>> : unknown);

/** What a stack must be, given all stacks. */
type Checked<S, K extends keyof S> = {
  readonly needs: readonly Exclude<keyof S & string, K>[];
  readonly platform: S[K] extends { readonly platform: infer P }
    ? { readonly [M in keyof P]: M extends ModuleName ? Options<P[M], PlatformOptions[M]> : never }
    : never;
  readonly apps?: S[K] extends { readonly apps: infer A } ? { readonly [X in keyof A]: App<Allowed<S, K>> } : never;
} & Known<S[K], keyof Stack>;

/** The stacks in the order in which they were written. */
export type Stacks = Readonly<Record<string, Stack>>;

/**
 * Declares the stacks. These do not compile: an unknown module, an option that the module does not have, a need that is no stack,
 * and an output or an image of a stack that is not needed or does not have it.
 */
export const defineStacks = <const S extends Stacks>(stacks: S & { readonly [K in keyof S]: Checked<S, K> }): S => stacks;
