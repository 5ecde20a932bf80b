/** Structural schemas of custom resources: pruning and defaults. What a schema refuses is in custom-validation.ts. */
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap } from "./objects";

const ROOT = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Fills in defaults and drops what the schema does not have, and a null where it allows none. Where unknown fields are kept, those that the
 * schema has still are by their own schemas.
 */
export function pruneAndDefault(value: Json, schema: Schema, root = true): Json {
  if (schema === undefined) return value;
  const item = schema["items"];
  if (Array.isArray(value)) return isMap(item) ? value.map((entry) => pruneAndDefault(entry, item, false)) : value;
  if (!isMap(value)) return value;
  const additional = schema["additionalProperties"];
  if (additional === true) return value;
  if (isMap(additional)) return entriesOf(value, additional);
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isObject = root || schema["x-kubernetes-embedded-resource"] === true;
  const result: JsonMap = {};
  for (const [key, entry] of Object.entries(value)) {
    const inner = properties[key];
    if (isObject && ROOT.has(key)) result[key] = entry;
    else if (!isMap(inner)) Object.assign(result, keepsUnknown ? { [key]: entry } : {});
    else if (entry !== null || inner["nullable"] === true) result[key] = pruneAndDefault(entry, inner, false);
  }
  for (const [key, inner] of Object.entries(properties))
    if (result[key] === undefined && isMap(inner) && inner["default"] !== undefined)
      result[key] = pruneAndDefault(structuredClone(inner["default"]), inner, false);
  return result;
}

const entriesOf = (value: JsonMap, schema: JsonMap): JsonMap =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (entry === null && schema["nullable"] !== true ? [] : [[key, pruneAndDefault(entry, schema, false)]])),
  );
