/** An application of the matrix, as data: a container without state of its own, with its ports, host names and outputs. */

import type { Flow } from "../../components/platform/module";
import type { RuleException } from "../../components/rules/rules";

/** An output of another stack, which the stack must need. */
export interface OutputOf<N extends string = string, O extends string = string> {
  readonly from: N;
  readonly output: O;
}

/** The image that an application of another stack runs; the stack must need that one. */
export interface ImageOf<N extends string = string, A extends string = string> {
  readonly from: N;
  /** Name of the application there. */
  readonly image: A;
}

export type FromStack = OutputOf | ImageOf;

/** A port of the container. */
export interface AppPort {
  readonly name: string;
  readonly port: number;
  /** Host name that leads to it, without the domain. Default: reached inside the cluster only. */
  readonly host?: string;
  /** `skip`: on a cluster that serves no routes, the port has no host name. Default: such a cluster is refused. */
  readonly withoutIngress?: "skip";
  /** Name of its URL in the output `urls`. Default: it is not there. */
  readonly url?: string;
}

/** @template R the references to other stacks' outputs that are allowed */
export interface App<R extends FromStack = FromStack> {
  /** Image with registry and tag or digest; of another stack; or of the setting `homelab:appImage`, with what is taken where it is not set. */
  readonly image: string | R | { readonly setting: "appImage"; readonly otherwise?: R };
  /** The first one is that of the health check. */
  readonly ports: readonly [AppPort, ...AppPort[]];
  /** Path that answers 200 when the application can serve. Default `/`. */
  readonly healthPath?: string;
  /** Path that answers 200 as long as it works at all, whatever becomes of what it depends on. Default: an open port is enough. */
  readonly livePath?: string;
  /** Port of the health check, where it is none of `ports`. */
  readonly healthPort?: number;
  /** Default 1. */
  readonly replicas?: number | { readonly setting: "appReplicas" };
  readonly environment?: Readonly<Record<string, string | R>>;
  readonly resources?: { readonly cpu: string; readonly memory: string; readonly memoryLimit: string };
  /** Folders that the application may write to; empty at each start. */
  readonly writable?: readonly string[];
  /** User id that the image is made for. Default: the image's own. */
  readonly runAsUser?: number;
  /** Connections beside those of its host names and of what it takes from other stacks; no others are possible. */
  readonly flows?: readonly Omit<Flow, "of">[];
  /** Rules for all workloads that do not hold for it, each with the reason. */
  readonly exceptions?: readonly Omit<RuleException, "workload" | "container">[];
  /** Outputs of the stack: the URL of a port. Its image is one without being named, in the map `images`. */
  readonly outputs?: Readonly<Record<string, { readonly url: string }>>;
}

/** Declares an application; a key that there is not does not compile. */
export const defineApp = <const A extends App>(app: A & { readonly [K in Exclude<keyof A, keyof App>]: never }): A => app;
