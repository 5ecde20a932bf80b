/** Paths into configuration values: `a.b[0]["c"]`. */
import { CliError } from "../errors";
import { exactJson } from "../wire/exact-json";
import { type PathPart, parsePath } from "../wire/paths";

/** What a configuration value may be once read: a secret leaf is `{ secure: ciphertext }`, and an integer beyond 2^53 a bigint. */
export type ConfigValue = null | boolean | number | bigint | string | ConfigValue[] | { [key: string]: ConfigValue };

export const isMap = (value: ConfigValue | undefined): value is { [key: string]: ConfigValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function parseConfigPath(text: string): PathPart[] {
  try {
    return parsePath(text);
  } catch (cause) {
    throw new CliError(`invalid config key path ${text}`, 1, { cause });
  }
}

export function getAt(value: ConfigValue | undefined, path: readonly PathPart[]): ConfigValue | undefined {
  return path.reduce<ConfigValue | undefined>(
    (at, part) => (Array.isArray(at) ? (typeof part === "number" ? at[part] : undefined) : isMap(at) ? at[String(part)] : undefined),
    value,
  );
}

export function setAt(value: ConfigValue | undefined, path: readonly PathPart[], next: ConfigValue | undefined): ConfigValue | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return next;
  if (typeof part === "number") {
    const list = value === undefined || value === null ? [] : value;
    if (!Array.isArray(list)) throw new CliError(`key path: an index ${part} into something that is no list`);
    if (part > list.length) throw new CliError(`array index out of range: ${part}`);
    const inner = setAt(list[part], rest, next);
    if (inner === undefined) return list.filter((_item, i) => i !== part);
    return [...list.slice(0, part), inner, ...list.slice(part + 1)];
  }
  const map = value === undefined || value === null ? {} : value;
  if (!isMap(map) || isSecureLeaf(map)) throw new CliError(`key path: ${part} of something that is no map`);
  const inner = setAt(map[part], rest, next);
  const { [part]: _old, ...others } = map;
  return inner === undefined ? others : { ...map, [part]: inner };
}

/** A map with the sole key `secure` holding a string is a secret. */
export function isSecureLeaf(value: ConfigValue | undefined): value is { secure: string } {
  return isMap(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

export function mapLeaves(value: ConfigValue, change: (ciphertext: string) => ConfigValue): ConfigValue {
  if (isSecureLeaf(value)) return change(value.secure);
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change));
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, change)]));
  return value;
}

export function hasSecret(value: ConfigValue): boolean {
  let found = false;
  mapLeaves(value, (ciphertext) => {
    found = true;
    return ciphertext;
  });
  return found;
}

const sorted = (value: ConfigValue): ConfigValue => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
};

/** Go's encoder escapes what has a meaning in HTML. */
const goJson = (value: ConfigValue): string => exactJson(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

/** A value as programs and `config get` see it: text; maps and lists as compact JSON with sorted keys. */
export function asText(value: ConfigValue): string {
  if (value === null) return "";
  return typeof value === "object" ? goJson(sorted(value)) : String(value);
}
