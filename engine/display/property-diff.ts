/** Which properties differ between two states, as lines. Secrets are `[secret]`. */
import { containsSecrets, isObject, isUnknown, type PropertyMap, sameValue, type Value } from "../wire/values";

export interface DiffLine {
  text: string;
  colour: number;
}

function shown(value: Value): string {
  if (containsSecrets(value)) return "[secret]";
  return isUnknown(value) ? "[unknown]" : JSON.stringify(value);
}

function compare(path: string, before: Value | undefined, after: Value | undefined): DiffLine[] {
  if (before === undefined) return after === undefined ? [] : [{ text: `+ ${path}: ${shown(after)}`, colour: 32 }];
  if (after === undefined) return [{ text: `- ${path}: ${shown(before)}`, colour: 31 }];
  if (sameValue(before, after)) return [];
  const bothMaps = isObject(before) && isObject(after) && !containsSecrets(before) && !containsSecrets(after);
  if (!bothMaps) return [{ text: `~ ${path}: ${shown(before)} => ${shown(after)}`, colour: 33 }];
  return keysOf(before, after).flatMap((key) => compare(`${path}.${key}`, before[key], after[key]));
}

const keysOf = (before: PropertyMap, after: PropertyMap): string[] => [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();

/** A created or deleted resource shows all of its properties. */
export function changedProperties(before: PropertyMap = {}, after: PropertyMap = {}): DiffLine[] {
  return keysOf(before, after)
    .filter((key) => !key.startsWith("__"))
    .flatMap((key) => compare(key, before[key], after[key]));
}
