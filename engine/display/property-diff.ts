/** Which properties differ between two states, as lines. Secrets that the events mask are `[secret]`. */
import {
  containsSecrets,
  isObject,
  isSecret,
  isUnknown,
  type PropertyMap,
  sameValue,
  secretValue,
  someValue,
  type Value,
  withoutSecrets,
} from "../wire/values";

export interface DiffLine {
  text: string;
  colour: number;
}

const isMasked = (value: Value): boolean => isSecret(value) && secretValue(value) === null && value["ciphertext"] !== undefined;

/** A value as a person reads it: JSON on one line. */
export function shownValue(value: Value): string {
  if (someValue(value, isMasked)) return "[secret]";
  return isUnknown(value) ? "[unknown]" : JSON.stringify(withoutSecrets(value));
}

interface Comparison {
  /** What the provider, or the engine, says differs: of two masked values one cannot see it. */
  known: ReadonlySet<string>;
}

function compare(path: string, before: Value | undefined, after: Value | undefined, facts: Comparison): DiffLine[] {
  if (before === undefined) return after === undefined ? [] : [{ text: `+ ${path}: ${shownValue(after)}`, colour: 32 }];
  if (after === undefined) return [{ text: `- ${path}: ${shownValue(before)}`, colour: 31 }];
  if (sameValue(before, after) && !(facts.known.has(path) && someValue(after, isMasked))) return [];
  const bothMaps = isObject(before) && isObject(after) && !containsSecrets(before) && !containsSecrets(after);
  if (!bothMaps) return [{ text: `~ ${path}: ${shownValue(before)} => ${shownValue(after)}`, colour: 33 }];
  return keysOf(before, after).flatMap((key) => compare(`${path}.${key}`, before[key], after[key], facts));
}

const keysOf = (before: PropertyMap, after: PropertyMap): string[] => [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();

/** A created or deleted resource shows all of its properties. @param known paths that are said to differ */
export function changedProperties(before: PropertyMap = {}, after: PropertyMap = {}, known: readonly string[] = []): DiffLine[] {
  const facts = { known: new Set(known) };
  return keysOf(before, after)
    .filter((key) => !key.startsWith("__"))
    .flatMap((key) => compare(key, before[key], after[key], facts));
}
