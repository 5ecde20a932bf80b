/** Which properties differ between two states, as lines. Secrets that the events mask are `[secret]`. */
import { resetPaths } from "../wire/paths";
import {
  containsSecrets,
  isObject,
  isSecret,
  isUnknown,
  type PropertyMap,
  readableJson,
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
  return isUnknown(value) ? "[unknown]" : readableJson(withoutSecrets(value));
}

interface Comparison {
  /** Paths that the provider or the engine reports as different: two masked values look the same. */
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

/** The properties of a resource before and after an operation. */
export interface Change {
  /** Undefined: it is created. */
  before: PropertyMap | undefined;
  /** Undefined: it is deleted. */
  after: PropertyMap | undefined;
  /** Paths that are reported as different. */
  known?: readonly string[] | undefined;
  /** Paths whose values are not shown where they differ. */
  hidden?: readonly string[] | undefined;
}

const isShown = (key: string): boolean => !key.startsWith("__");

/** A created or deleted resource shows all of its properties. */
export function changedProperties({ before, after, known = [], hidden = [] }: Change): DiffLine[] {
  const facts = { known: new Set(known) };
  const [olds, news] = [before ?? {}, after ?? {}];
  const isUpdate = before !== undefined && after !== undefined;
  const concealed = isUpdate ? hidden.filter((path) => !sameValue(resetPaths(news, olds, [path]), news)) : [];
  const open = resetPaths(news, olds, concealed);
  return [
    ...keysOf(olds, open)
      .filter(isShown)
      .flatMap((key) => compare(key, olds[key], open[key], facts)),
    ...concealed.map((path) => ({ text: `~ ${path} (hidden)`, colour: 33 })),
  ];
}

/** The names of the properties that an update changes, as the CLI puts them: `+added-removed~changed`. */
export function changedKeys({ before, after, known = [] }: Change): string {
  if (before === undefined || after === undefined) return "";
  const keys = keysOf(before, after)
    .filter(isShown)
    .filter(
      (key) =>
        !sameValue(before[key], after[key]) ||
        (known.includes(key) && [before[key], after[key]].some((value) => value !== undefined && someValue(value, isMasked))),
    );
  const part = (mark: string, chosen: string[]): string => (chosen.length > 0 ? mark + chosen.join(",") : "");
  const added = keys.filter((key) => before[key] === undefined);
  const removed = keys.filter((key) => after[key] === undefined);
  const changed = keys.filter((key) => before[key] !== undefined && after[key] !== undefined);
  return part("+", added) + part("-", removed) + part("~", changed);
}
