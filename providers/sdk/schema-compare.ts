/** Diff and drift for bridged resources. */
import { diffValues } from "./diff";
import type { DiffResult } from "./resource";
import { type Fields, type Property, propertyAt, replacingPaths } from "./schema";
import { isValues, type Json, type JsonObject, sameValue, type Value, type Values } from "./values";

/** In Terraform's older provider SDK, absent and empty are one. */
const isZero = (value: Value | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isValues(value) && Object.keys(value).every((key) => key.startsWith("__")));

const sortKey = (value: Value): string => JSON.stringify(value, (_key, item: unknown) => (item instanceof Object && "toJSON" in item ? "unknown" : item)) ?? "";

function sameSet(a: Value, b: Value): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  const ordered = (list: Value[]): Value[] => [...list].sort((x, y) => (sortKey(x) < sortKey(y) ? -1 : 1));
  return sameValue(ordered(a), ordered(b));
}

function equalProperty(property: Property | undefined, before: Value | undefined, after: Value | undefined): boolean {
  if (isZero(before) && isZero(after)) return true;
  if (before === undefined || after === undefined) return false;
  return sameValue(before, after) || (property?.kind === "set" && sameSet(before, after)) || property?.equal?.(before, after) === true;
}

/** @param nameProperty where the program chose the name itself and keeps it, a replacement deletes first */
export function diffSchema(fields: Fields, olds: Values, news: Values, nameProperty?: string): DiffResult {
  const diff = diffValues(olds, news, {
    replaceOn: replacingPaths(fields),
    // The bridge compares the state with the inputs.
    inputDiff: false,
    equal: (path, before, after) => equalProperty(propertyAt(fields, path), before, after),
    unchanged: (path, before, after) => {
      const property = propertyAt(fields, path);
      // Where the target has a value of its own, "empty" is a wish and "absent" is none.
      if (property?.computed === true && property.kind !== "block") return after === undefined;
      return (property?.computed === true && after === undefined) || (isZero(before) && isZero(after));
    },
  });
  const generated = news["__defaults"];
  const chosen = nameProperty !== undefined && !(Array.isArray(generated) && generated.includes(nameProperty));
  const deleteBeforeReplace = diff.replaces.length > 0 && chosen && sameValue(olds[nameProperty], news[nameProperty]);
  return deleteBeforeReplace ? { ...diff, deleteBeforeReplace } : diff;
}

function drifted(property: Property | undefined, input: Json, live: Json | undefined): Json {
  if (live === undefined || property === undefined || equalProperty(property, input, live)) return input;
  if (property.kind === "block" && isValues(input) && isValues(live)) return driftedInputs(property.fields, input as JsonObject, live as JsonObject);
  if (property.kind === "list" && Array.isArray(input) && Array.isArray(live) && input.length === live.length) {
    return input.map((item, i) => drifted(property.of, item, live[i]));
  }
  return live;
}

/** The inputs, overwritten by the values of the target system that differ from them: the next diff shows these. */
export function driftedInputs(fields: Fields, inputs: JsonObject, live: JsonObject): JsonObject {
  const shown = Object.entries(inputs).map(([key, value]): [string, Json] => [key, key === "__defaults" ? value : drifted(fields[key], value, live[key])]);
  return Object.fromEntries(shown.filter(([, value]) => value !== null));
}

/** Values of the target system that neither the inputs name nor a plan fills in: the next diff shows them. */
export function inputsBeside(fields: Fields, inputs: JsonObject, live: JsonObject, planDefaults: JsonObject): JsonObject {
  const beside = Object.entries(fields).filter(([key, property]) => {
    const value = live[key];
    if (key in inputs || value === undefined || value === null) return false;
    return key in planDefaults ? !equalProperty(property, value, planDefaults[key]) : property.computed !== true && !isZero(value);
  });
  return Object.fromEntries(beside.map(([key]) => [key, live[key] ?? null]));
}

/** Inputs for a resource that was imported: the properties that can be set and have a value. */
export function importedInputs(fields: Fields, live: JsonObject): JsonObject {
  const inputs: JsonObject = {};
  for (const [key, property] of Object.entries(fields)) {
    const value = live[key];
    if (value === undefined || value === null || isZero(value)) continue;
    inputs[key] = property.kind === "block" && isValues(value) ? importedInputs(property.fields, value as JsonObject) : value;
  }
  return { ...inputs, __defaults: [] };
}
