/** Structural schemas of custom resources: defaults, pruning and validation, as far as definitions here use them. */
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap } from "./objects";
import type { StatusCause } from "./status";

const ROOT = new Set(["apiVersion", "kind", "metadata"]);

/** Fills in defaults and drops what the schema does not have. */
export function pruneAndDefault(value: Json, schema: Schema, root = true): Json {
  if (schema === undefined || schema["x-kubernetes-preserve-unknown-fields"] === true) return value;
  const item = schema["items"];
  if (Array.isArray(value)) return isMap(item) ? value.map((entry) => pruneAndDefault(entry, item, false)) : value;
  if (!isMap(value)) return value;
  const properties = isMap(schema["properties"]) ? schema["properties"] : undefined;
  const additional = schema["additionalProperties"];
  if (properties === undefined) return isMap(additional) ? mapOf(value, (entry) => pruneAndDefault(entry, additional, false)) : value;
  const result: JsonMap = {};
  for (const [key, entry] of Object.entries(value)) {
    const inner = properties[key];
    if (root && ROOT.has(key)) result[key] = entry;
    else if (isMap(inner)) result[key] = pruneAndDefault(entry, inner, false);
  }
  for (const [key, inner] of Object.entries(properties))
    if (result[key] === undefined && isMap(inner) && inner["default"] !== undefined) result[key] = structuredClone(inner["default"]);
  return result;
}

const mapOf = (map: JsonMap, change: (value: Json) => Json): JsonMap => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

const typeName = (value: Json): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "integer"
          : "number"
        : typeof value === "object"
          ? "object"
          : typeof value;

/** Violations of the schema, in the API server's words. */
export function schemaCauses(value: Json, schema: Schema, path = ""): StatusCause[] {
  if (schema === undefined) return [];
  const { type } = schema;
  const actual = typeName(value);
  if (value === null) return schema["nullable"] === true || path === "" ? [] : [];
  if (schema["x-kubernetes-int-or-string"] !== true && typeof type === "string" && type !== actual && !(type === "number" && actual === "integer")) {
    const shown = typeof value === "object" ? JSON.stringify(value) : typeof value === "string" ? `"${value}"` : String(value);
    return [
      {
        reason: "FieldValueTypeInvalid",
        message: `Invalid value: "${actual}": ${path} in body must be of type ${type}: "${actual}"`,
        field: path,
        ...(shown === "" ? {} : {}),
      },
    ];
  }
  const allowed = schema["enum"];
  if (Array.isArray(allowed) && !allowed.includes(value)) {
    return [
      {
        reason: "FieldValueNotSupported",
        message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((item) => JSON.stringify(item)).join(", ")}`,
        field: path,
      },
    ];
  }
  if (typeof value === "number" && typeof schema["minimum"] === "number" && value < schema["minimum"]) {
    return [
      { reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${path} in body should be greater than or equal to ${schema["minimum"]}`, field: path },
    ];
  }
  if (Array.isArray(value)) {
    const item = schema["items"];
    return isMap(item) ? value.flatMap((entry, i) => schemaCauses(entry, item, `${path}[${i}]`)) : [];
  }
  if (!isMap(value)) return [];
  const causes: StatusCause[] = [];
  const required = schema["required"];
  if (Array.isArray(required)) {
    for (const key of required)
      if (typeof key === "string" && value[key] === undefined)
        causes.push({ reason: "FieldValueRequired", message: "Required value", field: path === "" ? key : `${path}.${key}` });
  }
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  for (const [key, entry] of Object.entries(value)) {
    const inner = properties[key] ?? schema["additionalProperties"];
    if (isMap(inner) && !(path === "" && ROOT.has(key))) causes.push(...schemaCauses(entry, inner, path === "" ? key : `${path}.${key}`));
  }
  return causes;
}
