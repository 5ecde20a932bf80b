/** Predicts outputs for previews. */
import type { Fields, Property } from "./schema";
import { isValues, UNKNOWN, type Value, type Values } from "./values";

/** `before`: the output so far, undefined for what is new. */
function plannedValue(property: Property, value: Value, before: Value | undefined): Value {
  if (property.kind === "block" && isValues(value)) return plannedOutputs(property.fields, value, isValues(before) ? before : undefined);
  if ((property.kind === "list" || property.kind === "set") && Array.isArray(value)) {
    const old = Array.isArray(before) ? before : [];
    return value.map((item, i) => plannedValue(property.of, item, old[i]));
  }
  return value;
}

/**
 * The inputs, and within their blocks what the target system fills in: what it filled in before, else unknown.
 * @param before outputs so far; undefined: the resource is new
 */
export function plannedOutputs(fields: Fields, inputs: Values, before: Values | undefined): Values {
  const given = Object.entries(inputs).map(([name, value]): [string, Value] => {
    const property = fields[name];
    return [name, property === undefined ? value : plannedValue(property, value, before?.[name])];
  });
  const filledIn = Object.entries(fields).flatMap(([name, { computed }]): [string, Value][] =>
    computed === true && !(name in inputs) ? [[name, before?.[name] ?? UNKNOWN]] : [],
  );
  return Object.fromEntries([...given, ...filledIn]);
}
