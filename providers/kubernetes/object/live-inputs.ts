/** The inputs of an object as the cluster has them: what a refresh finds, and what an import reads. */
import { containsUnknown, isValues, type Json, type JsonObject, type Value, type Values } from "../../sdk/values";
import { map } from "./json";
import { isItem } from "./managed-fields";

/** Fields of the metadata that the server writes. */
const SERVER_METADATA = ["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "uid"];

const typeName = (value: Value): string => (value === null ? "null" : Array.isArray(value) ? "list" : isValues(value) ? "map" : typeof value);

/**
 * The live value in the shape of the inputs: maps keep the keys that the inputs have, lists as many elements. What the server,
 * a controller or a webhook adds is no input; what they changed or took away shows. A list without keys belongs as a whole to the
 * manager that wrote it last, so elements that were added show too (another verb of a role).
 */
export function pruned(live: Values, inputs: Values): Values {
  return prunedMap(live, inputs, ownedByAny(live));
}

/** Owned fields in the form of `metadata.managedFields`; undefined where nothing is known of them. */
type Fields = Values | undefined;

/** The fields that any manager owns. */
function ownedByAny(live: Values): Fields {
  const entries = isValues(live["metadata"]) ? live["metadata"]["managedFields"] : undefined;
  if (!Array.isArray(entries)) return undefined;
  const sets = entries.map((entry) => (isValues(entry) ? entry["fieldsV1"] : undefined)).filter(isValues);
  return sets.reduce((all, fields) => mergedFields(all, fields), {});
}

function mergedFields(a: Values, b: Values): Values {
  const result = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const known = result[key];
    result[key] = isValues(known) && isValues(value) ? mergedFields(known, value) : value;
  }
  return result;
}

/** A value that is owned as a whole has no `f:` entries below it; everything in it belongs to the same owner. */
const isWhole = (fields: Fields): boolean => fields !== undefined && Object.keys(fields).length === 0;

const below = (fields: Fields, key: string): Fields => {
  if (isWhole(fields)) return fields;
  const inner = fields?.[`f:${key}`];
  return isValues(inner) ? inner : undefined;
};

function itemFields(fields: Fields, item: Value): Fields {
  if (isWhole(fields)) return fields;
  const name = Object.keys(fields ?? {}).find((key) => isItem(key, item as Json));
  const inner = name === undefined ? undefined : fields?.[name];
  return isValues(inner) ? inner : undefined;
}

function prunedMap(live: Values, inputs: Values, fields: Fields): Values {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([key, input]) => {
      const value = live[key];
      return value === undefined ? [] : [[key, prunedValue(value, input, below(fields, key))]];
    }),
  );
}

function prunedValue(value: Value, input: Value, fields: Fields): Value {
  if (isValues(value) && isValues(input)) return prunedMap(value, input, fields);
  if (!Array.isArray(value) || !Array.isArray(input)) return value;
  const [first, firstInput] = [value[0], input[0]];
  // A list whose elements became something else is taken as it is.
  if (first !== undefined && firstInput !== undefined && typeName(first) !== typeName(firstInput)) return value;
  return (isWhole(fields) ? value : value.slice(0, input.length)).map((item, i) => {
    const given = input[i];
    return given === undefined ? item : prunedValue(item, given, itemFields(fields, item));
  });
}

/** A Secret as the API keeps it: `stringData` is written into `data`. */
function inData(inputs: Values): Values {
  const { stringData, ...rest } = inputs;
  const data = rest["data"] ?? {};
  if (!isValues(stringData) || Object.keys(stringData).length === 0 || !isValues(data) || containsUnknown(inputs)) return inputs;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]);
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}

export const isSecretKind = (apiVersion: string, kind: string): boolean => apiVersion === "v1" && kind === "Secret";

/** Inputs as the API would keep them, so that two ways to write the same compare as the same. */
export function normalised(inputs: Values, apiVersion: string, kind: string): Values {
  const { metadata } = inputs;
  let result = inputs;
  if (isValues(metadata) && SERVER_METADATA.some((key) => key in metadata))
    result = { ...result, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !SERVER_METADATA.includes(key))) };
  if (isSecretKind(apiVersion, kind)) return inData(result);
  if (kind !== "CustomResourceDefinition") return result;
  const { status: _status, ...definition } = result;
  const { spec } = definition;
  if (!isValues(spec) || spec["preserveUnknownFields"] !== false) return definition;
  const { preserveUnknownFields: _preserve, ...rest } = spec;
  return { ...definition, spec: rest };
}

/** Annotations that controllers and kubectl write. */
const FOREIGN_ANNOTATIONS = ["deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"];

/** What a program would write to get this object: without what the server adds. */
export function importedInputs(live: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = live;
  const { annotations, ...others } = map(metadata);
  const kept = Object.entries(others).filter(([key]) => !SERVER_METADATA.includes(key));
  const own = Object.entries(map(annotations)).filter(([key]) => !FOREIGN_ANNOTATIONS.includes(key));
  return { ...rest, metadata: { ...Object.fromEntries(kept), ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) } };
}
