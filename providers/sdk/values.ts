/**
 * Property values as the resource definitions see them: plain JSON, and two kinds of special ones. Assets, archives and
 * resource references stay what they are on the wire (objects with a signature key).
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** A value that is not known before the update runs. It must never reach a target system, so turning it into JSON fails. */
export class Unknown {
  toJSON(): never {
    throw new Error("a value that is not known yet was about to be sent");
  }
}
export const UNKNOWN = new Unknown();

/** A value that the engine keeps encrypted. */
export class Secret {
  constructor(readonly value: Value) {}
}

export type Value = null | boolean | number | string | Value[] | Values | Unknown | Secret;
export interface Values {
  [key: string]: Value;
}

export const isValues = (value: Value | undefined): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown) && !(value instanceof Secret);

export const makeSecret = (value: Value): Secret => (value instanceof Secret ? value : new Secret(value));

/** The value without any secret marker. */
function withoutSecrets(value: Value): Value {
  if (value instanceof Secret) return withoutSecrets(value.value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return isValues(value) ? plainValues(value) : value;
}

/** Like {@link withoutSecrets}, for a map. */
export function plainValues(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, withoutSecrets(value)]));
}

function some(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value instanceof Secret) return some(value.value, test);
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isValues(value) && Object.values(value).some((item) => some(item, test));
}

export const containsUnknown = (value: Value): boolean => some(value, (v) => v instanceof Unknown);
const containsSecret = (value: Value): boolean => some(value, (v) => v instanceof Secret);

/** The value as plain JSON. @throws Error where a part of it is unknown: callers have made sure that it is not */
function toJson(value: Value): Json {
  if (value instanceof Secret) return toJson(value.value);
  if (value instanceof Unknown) return value.toJSON();
  if (Array.isArray(value)) return value.map(toJson);
  return isValues(value) ? toJsonObject(value) : value;
}

export function toJsonObject(values: Values): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, toJson(value)]));
}

/** The values without nulls, in maps at any depth: the bridge writes null for a missing value. */
export function withoutNulls<T extends Values>(values: T): T {
  const inner = (value: Value): Value => (Array.isArray(value) ? value.map(inner) : isValues(value) ? withoutNulls(value) : value);
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [[key, inner(value)]]))) as T;
}

/** The same for values that may be unknown or secret. */
export function withoutNullValues(values: Values): Values {
  const inner = (value: Value): Value => {
    if (value instanceof Secret) return new Secret(inner(value.value));
    return Array.isArray(value) ? value.map(inner) : isValues(value) ? withoutNullValues(value) : value;
  };
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [[key, inner(value)]])));
}

/**
 * Marks in an answer what was secret in the request: by key, recursively in objects, also in secret ones; a list with a secret
 * element becomes secret as a whole, since elements may have moved.
 */
export function annotateSecrets(answer: Values, request: Values): Values {
  const annotate = (value: Value, asked: Value | undefined): Value => {
    if (asked === undefined || value instanceof Secret) return value;
    if (asked instanceof Secret) return makeSecret(annotate(value, asked.value));
    if (Array.isArray(asked)) return containsSecret(asked) ? makeSecret(value) : value;
    return isValues(asked) && isValues(value) ? annotateSecrets(value, asked) : value;
  };
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, annotate(value, request[key])]));
}

/** @param paths `a`, or `a.b` for the field `b` of `a`, whether `a` itself is secret or not */
export function markSecrets(values: Values, paths: readonly string[]): Values {
  const mark = (key: string, value: Value): Value => {
    const below = paths.filter((path) => path.startsWith(`${key}.`)).map((path) => path.slice(key.length + 1));
    const inner = value instanceof Secret ? value.value : value;
    const marked = below.length > 0 && isValues(inner) ? markSecrets(inner, below) : inner;
    return paths.includes(key) || value instanceof Secret ? new Secret(marked) : marked;
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, mark(key, value)]));
}

/** Deep equality without regard to secrecy or the order of keys. An unknown value equals nothing, itself included. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Secret) return sameValue(a.value, b);
  if (b instanceof Secret) return sameValue(a, b.value);
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (!isValues(a) || !isValues(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]));
}
