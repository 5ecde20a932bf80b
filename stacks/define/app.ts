/** An application of the matrix, as data: a stateless container with its ports, host names and outputs. */

import type { AppSpec, SecretValue, AppPort as SpecPort } from "../../components/apps/app-spec";
import type { Delivery } from "../../components/apps/delivery";
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

/** A port of the container. Its rules need a gateway of Istio. */
export interface AppPort extends Omit<SpecPort, "host"> {
  /** Host name that routes to it, without the domain. Default: it is reachable inside the cluster only. */
  readonly host?: string;
  /** `skip`: on a cluster that serves no routes, the port has no host name. Default: such a cluster is refused. */
  readonly withoutIngress?: "skip";
  /** Name of its URL in the output `urls`. Default: it is not in there. */
  readonly url?: string;
}

/**
 * What the matrix says of an application: an {@link AppSpec} whose image, ports, replicas and environment may refer to settings and to
 * other stacks.
 * @template R the references to other stacks' outputs that are allowed
 */
export interface App<R extends FromStack = FromStack> extends Omit<AppSpec, "name" | "image" | "ports" | "replicas" | "environment"> {
  /**
   * One of:
   * - an image with registry and tag or digest
   * - a reference to another stack
   * - `images`: the application's image in `homelab:images` of the stack's settings, which `homelab promote` writes
   * - `appImage`: `homelab:appImage`, or `otherwise` where that is not set
   */
  readonly image: string | R | { readonly setting: "images" } | { readonly setting: "appImage"; readonly otherwise?: R };
  /** Probes use the first one, unless they name another. */
  readonly ports: readonly [AppPort, ...AppPort[]];
  /** Default 1. */
  readonly replicas?: number | { readonly setting: "appReplicas" };
  /** Texts, outputs of stacks that are needed, or values of secrets/ (`{ secret: { path, key } }`). */
  readonly environment?: Readonly<Record<string, string | R | SecretValue>>;
  /** Connections beside those of its host names and of what it takes from other stacks; no others are possible. */
  readonly flows?: readonly Omit<Flow, "of">[];
  /** Rules for all workloads that do not hold for it, each with the reason. */
  readonly exceptions?: readonly Omit<RuleException, "workload" | "container">[];
  /** Default `pulumi`. */
  readonly delivery?: Delivery;
  /** Outputs of the stack: the URL of a port. Its image is always an output, in the map `images`. */
  readonly outputs?: Readonly<Record<string, { readonly url: string }>>;
}

/** Declares an application. An unknown key does not compile. */
export const defineApp = <const A extends App>(app: A & { readonly [K in Exclude<keyof A, keyof App>]: never }): A => app;
