/**
 * Resource schemas of packages that are bridged from Terraform providers, as data: which inputs there are, their defaults, and
 * what a change of each one means. The rules are the bridge's (pulumi-terraform-bridge 3.125), so that a state made with one
 * kind of plugin shows no changes with the other.
 */
import type { JsonObject } from "./values";

interface Options {
  required?: boolean;
  /** Filled in by Check and noted in `__defaults`, as the bridge does. */
  default?: JsonObject[string];
  /** A change replaces the resource. */
  replace?: boolean;
  /** The target system has a value of its own where the program gives none: taking the input away is no change. */
  computed?: boolean;
  /** The name is made from the resource's name and seven random hexadecimal digits where the program gives none. */
  autoName?: boolean;
  /** Values that mean the same although they differ. */
  equal?(before: unknown, after: unknown): boolean;
  /** Complains about a known value. */
  validate?(value: unknown): string | undefined;
}

export type Property = Options &
  (
    | { kind: "string" | "number" | "boolean" | "map" }
    /** `set`: the order means nothing. */
    | { kind: "list" | "set"; of: Property }
    /** A block that occurs at most once. */
    | { kind: "block"; fields: Fields }
  );

export type Fields = Readonly<Record<string, Property>>;

export const str = (options: Options = {}): Property => ({ kind: "string", ...options });
export const num = (options: Options = {}): Property => ({ kind: "number", ...options });
export const bool = (options: Options = {}): Property => ({ kind: "boolean", ...options });
/** Strings by any key. */
export const map = (options: Options = {}): Property => ({ kind: "map", ...options });
export const list = (of: Property, options: Options = {}): Property => ({ kind: "list", of, ...options });
export const set = (of: Property, options: Options = {}): Property => ({ kind: "set", of, ...options });
export const block = (fields: Fields, options: Options = {}): Property => ({ kind: "block", fields, ...options });

/** The property that a path without list indices (`disks.size`) names. */
export function propertyAt(fields: Fields, path: string): Property | undefined {
  let level: Fields | undefined = fields;
  let found: Property | undefined;
  for (const name of path.split(".")) {
    found = level?.[name];
    if (found === undefined) return undefined;
    let inner: Property = found;
    while (inner.kind === "list" || inner.kind === "set") inner = inner.of;
    level = inner.kind === "block" ? inner.fields : undefined;
  }
  return found;
}

/** Paths, as {@link propertyAt} takes them, of the properties whose change replaces. */
export function replacingPaths(fields: Fields, prefix = ""): string[] {
  return Object.entries(fields).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    if (property.replace === true) return [path];
    let inner: Property = property;
    while (inner.kind === "list" || inner.kind === "set") inner = inner.of;
    return inner.kind === "block" ? replacingPaths(inner.fields, `${path}.`) : [];
  });
}
