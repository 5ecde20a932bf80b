/** Who owns which fields of an object (`metadata.managedFields`), and which of them an apply takes over or leaves. */
import type { Json, JsonObject, Values } from "../../sdk/values";
import { list, map, text } from "./json";
import { childOf, expandPath, type PathStep, parsePath, valueAt, withValueAt } from "./property-path";

/** Managers whose fields an update takes over, by the beginning of their names: client-side apply, kubectl, and this provider's own in earlier modes. */
const TAKEN_OVER: readonly { prefix: string; operation: "Apply" | "Update" }[] = [
  { prefix: "kubectl", operation: "Apply" },
  { prefix: "kubectl", operation: "Update" },
  { prefix: "before-first-apply", operation: "Update" },
  { prefix: "pulumi-kubernetes", operation: "Update" },
  { prefix: "pulumi-resource-kubernetes", operation: "Update" },
];

const entriesOf = (live: JsonObject): JsonObject[] => list(map(live["metadata"])["managedFields"]).map(map);
const isOurs = (entry: JsonObject, manager: string): boolean => entry["manager"] === manager && entry["operation"] === "Apply";
const isTaken = (entry: JsonObject): boolean =>
  text(entry["subresource"]) === undefined &&
  TAKEN_OVER.some(({ prefix, operation }) => String(entry["manager"]).startsWith(prefix) && entry["operation"] === operation);

/** The steps of a property path as a set of fields has them; undefined where the set does not reach there. */
function fieldSteps(fields: JsonObject, object: Json | undefined, path: readonly PathStep[]): string[] | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return [];
  const child = childOf(object, step) as Json | undefined;
  const key = typeof step === "string" ? `f:${step}` : Object.keys(fields).find((name) => isItem(name, child));
  if (key === undefined || fields[key] === undefined) return undefined;
  const inner = map(fields[key]);
  // A field that is owned as a whole has nothing below it.
  if (Object.keys(inner).length === 0) return [key];
  const below = fieldSteps(inner, child, rest);
  return below && [key, ...below];
}

/** Whether `k:{"name":"web"}` or `v:"x"` is the name of a list's item. */
export function isItem(name: string, item: Json | undefined): boolean {
  if (name.startsWith("v:")) return JSON.stringify(item) === name.slice(2);
  if (!name.startsWith("k:")) return false;
  return Object.entries(JSON.parse(name.slice(2)) as JsonObject).every(([key, value]) => map(item)[key] === value);
}

function withoutField(fields: JsonObject, steps: readonly string[]): JsonObject {
  const [step, ...rest] = steps;
  if (step === undefined || fields[step] === undefined) return fields;
  const { [step]: child, ...others } = fields;
  const inner = rest.length === 0 ? {} : withoutField(map(child), rest);
  return Object.keys(inner).filter((key) => key !== ".").length === 0 ? others : { ...fields, [step]: inner };
}

function onlyField(fields: JsonObject, steps: readonly string[]): JsonObject {
  const [step, ...rest] = steps;
  return step === undefined ? fields : { [step]: onlyField(map(fields[step]), rest) };
}

const merged = (a: JsonObject, b: JsonObject): JsonObject => {
  const result = { ...a };
  for (const [key, value] of Object.entries(b)) result[key] = merged(map(a[key]), map(value));
  return result;
};

/** Splits a set of fields into the ignored ones (`left`) and the rest (`taken`). */
function split(fields: JsonObject, live: JsonObject, ignored: readonly PathStep[][]): { left: JsonObject; taken: JsonObject } {
  let [left, taken]: [JsonObject, JsonObject] = [{}, fields];
  for (const path of ignored) {
    const steps = fieldSteps(fields, live, path);
    if (steps === undefined) continue;
    left = merged(left, onlyField(fields, steps));
    taken = withoutField(taken, steps);
  }
  return { left, taken };
}

const ignoredPaths = (object: Values, ignoreChanges: readonly string[]): PathStep[][] => ignoreChanges.flatMap((path) => expandPath(object, parsePath(path)));

/**
 * The object's managers after this provider's took over the fields of kubectl and of client-side apply, except for what is ignored.
 * @returns undefined where there is nothing to take over
 */
export function takenOver(live: JsonObject, manager: string, ignoreChanges: readonly string[]): JsonObject[] | undefined {
  const entries = entriesOf(live);
  const others = entries.filter(isTaken);
  const ignored = ignoredPaths(live, ignoreChanges);
  const parts = others.map((entry) => ({ entry, ...split(map(entry["fieldsV1"]), live, ignored) }));
  const [first] = others;
  if (first === undefined || parts.every(({ taken }) => Object.keys(taken).length === 0)) return undefined;
  const ours = entries.find((entry) => isOurs(entry, manager)) ?? { ...first, manager, operation: "Apply", fieldsV1: {} };
  const fieldsV1 = parts.reduce((fields, { taken }) => merged(fields, taken), map(ours["fieldsV1"]));
  const kept = entries.filter((entry) => !isOurs(entry, manager) && !isTaken(entry));
  const left = parts.flatMap(({ entry, left: fields }) => (Object.keys(fields).length === 0 ? [] : [{ ...entry, fieldsV1: fields }]));
  return [...kept, ...left, { ...ours, fieldsV1 }];
}

/**
 * The object to apply, with each ignored field as the cluster has it: left out where another manager owns it, so that it stays
 * with that one; else with its live value, since a field that its owner leaves out of an apply is removed.
 */
export function withIgnoredLeft(inputs: JsonObject, live: JsonObject, manager: string, ignoreChanges: readonly string[]): JsonObject {
  const entries = entriesOf(live);
  const owns = (entry: JsonObject, path: PathStep[]): boolean => fieldSteps(map(entry["fieldsV1"]), live, path) !== undefined;
  let result: Values = inputs;
  for (const path of ignoredPaths(inputs, ignoreChanges)) {
    const ours = entries.some((entry) => isOurs(entry, manager) && owns(entry, path));
    const theirs = entries.some((entry) => !isOurs(entry, manager) && owns(entry, path));
    const liveValue = valueAt(live, path);
    if (theirs && !ours) result = withValueAt(result, path, undefined) as Values;
    else if (liveValue !== undefined) result = withValueAt(result, path, liveValue) as Values;
  }
  return result as JsonObject;
}

/** Whether the object has managers. One that is older than server-side apply has none. */
export const hasManagers = (live: JsonObject): boolean => entriesOf(live).length > 0;

/** Whether this manager applied the object at some time. */
export const isApplied = (live: JsonObject, manager: string): boolean => entriesOf(live).some((entry) => isOurs(entry, manager));
