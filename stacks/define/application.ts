/**
 * An application that runs in several environments, described once: what is common to all, and what differs in each. This is like a base
 * with overlays of Kustomize, but the compiler checks it.
 */
import type { Delivery } from "../../components/apps/delivery";
import type { App, AppPort, FromStack } from "./app";

/** What is common to all environments. Host names are without the environment's prefix. */
type Everywhere<R extends FromStack> = Omit<App<R>, "image" | "delivery">;

/** What differs in one environment. What is left out is as in the common part. */
export interface Difference<R extends FromStack> extends Partial<Omit<Everywhere<R>, "ports">> {
  /** Prefix of each host name: `dev.`, or nothing. */
  readonly hostPrefix: string;
  /** By the name of a port: other host names, rules, and so on. */
  readonly ports?: Readonly<Record<string, Partial<Omit<AppPort, "name" | "port">>>>;
  /** Default: `{ setting: "images" }`. */
  readonly image?: App<R>["image"];
  /** Default `pulumi`. */
  readonly delivery?: Delivery;
}

const prefixed = (host: string | undefined, prefix: string): Pick<AppPort, "host"> => (host === undefined ? {} : { host: `${prefix}${host}` });

function portOf(port: AppPort, prefix: string, difference: NonNullable<Difference<FromStack>["ports"]>[string] = {}): AppPort {
  const { host, ...rest } = { ...port, ...difference };
  return { ...rest, ...prefixed(host, prefix) };
}

/** For fields in which an environment adds to the common part, key by key. */
const merged = <V>(everywhere: Readonly<Record<string, V>> | undefined, own: Readonly<Record<string, V>> | undefined) =>
  everywhere === undefined && own === undefined ? undefined : { ...everywhere, ...own };
const joined = <V>(everywhere: readonly V[] = [], own: readonly V[] = []): V[] | undefined => {
  const all = [...everywhere, ...own];
  return all.length === 0 ? undefined : all;
};

/** Without the keys that are undefined. */
const given = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

function inEnvironment(everywhere: Everywhere<FromStack>, { hostPrefix, ports = {}, ...difference }: Difference<FromStack>): App {
  const [first, ...more] = everywhere.ports;
  const known = everywhere.ports.map(({ name }) => name);
  const unknown = Object.keys(ports).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`an environment names the port "${unknown}", but the application has: ${known.join(", ")}`);
  return given({
    image: { setting: "images" } as const,
    ...everywhere,
    ...difference,
    ports: [portOf(first, hostPrefix, ports[first.name]), ...more.map((port) => portOf(port, hostPrefix, ports[port.name]))] as const,
    environment: merged(everywhere.environment, difference.environment),
    config: merged(everywhere.config, difference.config),
    files: merged(everywhere.files, difference.files),
    hooks: merged(everywhere.hooks, difference.hooks),
    flows: joined(everywhere.flows, difference.flows),
    exceptions: joined(everywhere.exceptions, difference.exceptions),
    patches: joined(everywhere.patches, difference.patches),
  }) as App;
}

/** Its references to other stacks, as literal types: `defineStacks` checks that the stacks exist. */
type ReferencesOf<T> =
  | (T extends { readonly environment: infer E } ? Extract<E[keyof E], FromStack> : never)
  | (T extends { readonly image: infer I } ? Extract<I, FromStack> : never);

/**
 * Declares an application for several environments. An environment's variables, config, files and hooks are merged into the common ones,
 * key by key. Its flows, exceptions and patches are appended. Everything else replaces the common value.
 * @returns the application by environment, for the rows of the matrix
 */
export function defineApplication<const A extends Everywhere<FromStack>, const D extends Readonly<Record<string, Difference<FromStack>>>>(
  everywhere: A,
  environments: D,
): Readonly<Record<keyof D & string, App<ReferencesOf<A> | ReferencesOf<D[keyof D]>>>> {
  const all = Object.entries(environments).map(([environment, difference]) => [environment, inEnvironment(everywhere, difference)] as const);
  return Object.fromEntries(all) as never;
}
