/**
 * What the rules of a definition (`x-kubernetes-validations`) refuse, in the API server's words. Source of the words: a kube-apiserver 1.34
 * (tests/contract/kubernetes/custom-rules-suite.ts holds both to one table).
 */
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap, type KubeObject, listAt, mapAt, same } from "./objects";
import { type Rule, type RuleValues, ruleOf, ruleValue } from "./rule-language";
import type { StatusCause } from "./status";

/** A value with what it was before, as far as the server can tell which value that was. */
interface Place {
  readonly value: Json;
  readonly old: Json | undefined;
  readonly path: string;
  /** Whether it, or what it is in, is what it was before: then a rule that it breaks is no error any more. */
  readonly unchanged: () => boolean;
}

/** Kinds of violations that keep the server from asking the rules. */
const BLOCKING = new Set(["FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"]);

const UNCHECKED: StatusCause = {
  reason: "FieldValueInvalid",
  message: "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
  field: "<nil>",
};

const rulesOf = (schema: JsonMap): JsonMap[] => listAt(schema, "x-kubernetes-validations").filter(isMap);

/** Every schema below one, and it. */
function* schemasIn(schema: Schema, path = ""): Generator<{ schema: JsonMap; path: string }> {
  if (schema === undefined) return;
  yield { schema, path };
  for (const [name, inner] of Object.entries(mapAt(schema, "properties"))) if (isMap(inner)) yield* schemasIn(inner, path === "" ? name : `${path}.${name}`);
  for (const key of ["items", "additionalProperties"]) {
    const inner = schema[key];
    if (isMap(inner)) yield* schemasIn(inner, `${path}[*]`);
  }
  for (const inner of listAt(schema, "allOf")) if (isMap(inner)) yield* schemasIn(inner, path);
}

function hasRules(schema: Schema): boolean {
  for (const one of schemasIn(schema)) if (rulesOf(one.schema).length > 0) return true;
  return false;
}

/** Rules of a definition that are not evaluated here, each with its place and what is missing. */
export function rulesNotEvaluated(crd: KubeObject): string[] {
  return listAt(crd, "spec", "versions").flatMap((version) => {
    const schema = mapAt(version, "schema", "openAPIV3Schema");
    return [...schemasIn(schema)].flatMap(({ schema: one, path }) =>
      rulesOf(one).flatMap(({ rule }) => {
        const { unknown } = ruleOf(String(rule));
        return unknown.length === 0 ? [] : [`${String(version["name"])} ${path || "the object"}: ${String(rule)}: the lab does not know ${unknown.join(", ")}`];
      }),
    );
  });
}

/**
 * Violations of rules. The value has its defaults, and `causes` is what its schema refuses already.
 * @param old the object before; undefined for a new one
 */
export function ruleCauses(value: Json, old: Json | undefined, schema: Schema, causes: readonly StatusCause[]): StatusCause[] {
  if (schema === undefined) return [];
  if (causes.some(({ reason }) => BLOCKING.has(reason))) return hasRules(schema) ? [UNCHECKED] : [];
  return causesAt({ value, old, path: "", unchanged: () => false }, schema, true);
}

function causesAt(place: Place, schema: JsonMap, root = false): StatusCause[] {
  const { value, old, path } = place;
  if (value === null) return [];
  const causes = ownCauses(place, schema, root);
  for (const inner of listAt(schema, "allOf")) if (isMap(inner)) causes.push(...causesAt(place, inner));
  const { items } = schema;
  if (Array.isArray(value) && isMap(items))
    for (const [index, entry] of value.entries()) causes.push(...causesAt(below(place, entry, itemBefore(entry, old, schema), `${path}[${index}]`), items));
  if (isMap(value)) causes.push(...entryCauses(place, value, schema));
  return causes;
}

function entryCauses(place: Place, value: JsonMap, schema: JsonMap): StatusCause[] {
  const before = isMap(place.old) && schema["x-kubernetes-map-type"] !== "atomic" ? place.old : {};
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  const others = schema["additionalProperties"];
  return Object.entries(value).flatMap(([key, entry]) => {
    const own = properties[key];
    if (isMap(own)) return causesAt(below(place, entry, before[key], place.path === "" ? key : `${place.path}.${key}`), own);
    return isMap(others) ? causesAt(below(place, entry, before[key], `${place.path}[${key}]`), others) : [];
  });
}

function below(parent: Place, value: Json, old: Json | undefined, path: string): Place {
  return { value, old, path, unchanged: () => (old === undefined ? parent.unchanged() : same(value, old)) };
}

/** The same item of a list before: only the keys of a map tell. */
function itemBefore(item: Json, old: Json | undefined, schema: JsonMap): Json | undefined {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(keys) || !Array.isArray(old) || !isMap(item)) return undefined;
  return old.find((before) => isMap(before) && keys.every((key) => same(before[String(key)], item[String(key)])));
}

function ownCauses(place: Place, schema: JsonMap, root: boolean): StatusCause[] {
  const found = rulesOf(schema);
  if (found.length === 0) return [];
  const old = place.old === undefined || place.old === null ? undefined : place.old;
  const values: RuleValues = { self: ruleValue(place.value, schema, root), ...(old === undefined ? {} : { oldSelf: ruleValue(old, schema, root) }) };
  return found.flatMap((given) => causesOfRule(given, ruleOf(String(given["rule"])), values, { ...place, old }, schema));
}

function causesOfRule(given: JsonMap, rule: Rule, values: RuleValues, { path, old, unchanged }: Place, schema: JsonMap): StatusCause[] {
  if (rule.unknown.length > 0 || (rule.usesOld && old === undefined)) return [];
  const type = JSON.stringify(schema["type"] ?? "");
  const words = textOf(given, "message") ?? textOf(given, "rule") ?? "";
  const result = rule.evaluate(values);
  if (result === true) return [];
  const field = `${path}${textOf(given, "fieldPath") ?? ""}`.replace(/^\./, "") || "<nil>";
  if (typeof result === "object" && result !== null && "failed" in result)
    return [{ reason: "FieldValueInvalid", message: `Invalid value: ${type}: ${result.failed} evaluating rule: ${words}`, field: path || "<nil>" }];
  if (!rule.usesOld && unchanged()) return [];
  const message = messageOf(given, values) ?? textOf(given, "message") ?? `failed rule: ${words}`;
  return [causeOf(textOf(given, "reason"), type, message, field)];
}

/** What `messageExpression` says; undefined where there is none, and where it gives no text of one line. */
function messageOf(given: JsonMap, values: RuleValues): string | undefined {
  const text = textOf(given, "messageExpression");
  if (text === undefined) return undefined;
  const expression = ruleOf(text);
  const result = expression.unknown.length > 0 ? undefined : expression.evaluate(values);
  const message = typeof result === "string" ? result.trim() : "";
  return message === "" || message.includes("\n") ? undefined : message;
}

function causeOf(reason: string | undefined, type: string, message: string, field: string): StatusCause {
  if (reason === "FieldValueForbidden") return { reason, message: `Forbidden: ${message}`, field };
  if (reason === "FieldValueRequired") return { reason, message: `Required value: ${message}`, field };
  if (reason === "FieldValueDuplicate") return { reason, message: `Duplicate value: ${type}`, field };
  return { reason: "FieldValueInvalid", message: `Invalid value: ${type}: ${message}`, field };
}

function textOf(given: JsonMap, key: string): string | undefined {
  const text = given[key];
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}
