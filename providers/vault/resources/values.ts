/** Reading Vault's answers and writing its requests. */
import type { Json, JsonObject } from "../../sdk/values";

export const asObject = (value: Json | undefined): JsonObject => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
export const asString = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** `a/b/`, `/a/b` → `a/b` */
export const trimSlashes = (path: string): string => path.replace(/^\/+|\/+$/g, "");

/** `1h2m3s` or `90` → seconds */
export function secondsOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const units: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)([dhms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/** A property of the program under the name that Vault has for it: `tokenTtl` → `token_ttl`. */
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The named properties that are set, by Vault's names. */
export function toVault(inputs: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => inputs[name] !== undefined).map((name) => [snake(name), inputs[name] ?? null]));
}

/** The named properties of an answer, by the program's names; null as absent. */
export function fromVault(answer: JsonObject, names: readonly string[]): JsonObject {
  const found: JsonObject = {};
  for (const name of names) {
    const value = answer[snake(name)];
    if (value !== undefined && value !== null) found[name] = value;
  }
  return found;
}

/** The empty value for a property that was removed: Vault has no other way to unset it. */
function emptyOf(before: Json | undefined): Json {
  if (Array.isArray(before)) return [];
  if (typeof before === "number") return 0;
  if (typeof before === "boolean") return false;
  return typeof before === "object" && before !== null ? {} : "";
}

/** The named properties that differ, by Vault's names; those that are gone as empty ones. */
export function changes(olds: JsonObject, news: JsonObject, names: readonly string[]): JsonObject {
  const changed: JsonObject = {};
  for (const name of names) {
    if (JSON.stringify(olds[name]) === JSON.stringify(news[name])) continue;
    changed[snake(name)] = news[name] ?? emptyOf(olds[name]);
  }
  return changed;
}
