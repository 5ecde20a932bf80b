/** Structural schemas of custom resources: pruning and defaults. What a schema refuses is in custom-validation.ts. */
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap } from "./objects";

const ROOT = new Set(["apiVersion", "kind", "metadata"]);

/** Fills in defaults and drops what the schema does not have, and a null where it allows none. */
export function pruneAndDefault(value: Json, schema: Schema, root = true): Json {
  if (schema === undefined || schema["x-kubernetes-preserve-unknown-fields"] === true) return value;
  const item = schema["items"];
  if (Array.isArray(value)) return isMap(item) ? value.map((entry) => pruneAndDefault(entry, item, false)) : value;
  if (!isMap(value)) return value;
  const properties = isMap(schema["properties"]) ? schema["properties"] : undefined;
  const additional = schema["additionalProperties"];
  if (properties === undefined) return isMap(additional) ? entriesOf(value, additional) : value;
  const result: JsonMap = {};
  for (const [key, entry] of Object.entries(value)) {
    const inner = properties[key];
    if (root && ROOT.has(key)) result[key] = entry;
    else if (isMap(inner) && (entry !== null || inner["nullable"] === true)) result[key] = pruneAndDefault(entry, inner, false);
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
