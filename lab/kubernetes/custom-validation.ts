/**
 * What the structural schema of a custom resource refuses, in the API server's words: every keyword that a definition may have. Its rules
 * are in custom-rules.ts. Source of the words: a kube-apiserver 1.34 (tests/contract/kubernetes/custom-schema-suite.ts holds both to one
 * table).
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap } from "./objects";
import type { StatusCause } from "./status";

const ROOT = new Set(["apiVersion", "kind", "metadata"]);

/** Formats that definitions use; the server, too, lets one pass that it does not know. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) => z.iso.datetime({ offset: true }).safeParse(text).success,
  date: (text) => z.iso.date().safeParse(text).success,
  duration: (text) => /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text.replaceAll(" ", "")),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  ipv4: (text) => z.ipv4().safeParse(text).success,
  ipv6: (text) => z.ipv6().safeParse(text).success,
  cidr: (text) => z.union([z.cidrv4(), z.cidrv6()]).safeParse(text).success,
};

/** Violations of the schema. The value has its defaults already. */
export function schemaCauses(value: Json, schema: Schema, path = ""): StatusCause[] {
  if (schema === undefined || value === null) return [];
  const mistyped = typeCauses(value, schema, path);
  if (mistyped.length > 0) return mistyped;
  return [
    ...allowedCauses(value, schema, path),
    ...(typeof value === "string" ? textCauses(value, schema, path) : []),
    ...(typeof value === "number" ? numberCauses(value, schema, path) : []),
    ...(Array.isArray(value) ? listCauses(value, schema, path) : []),
    ...(isMap(value) ? mapCauses(value, schema, path) : []),
    ...combinedCauses(value, schema, path),
  ];
}

const invalid = (field: string, shown: string, message: string): StatusCause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${shown}: ${message}`,
  field,
});

const inBody = (path: string, value: Json, what: string): StatusCause => invalid(path, JSON.stringify(value), `${path} in body ${what}`);

const tooMany = (path: string, count: number, most: number): StatusCause => ({
  reason: "FieldValueTooMany",
  message: `Too many: ${count}: must have at most ${most} ${most === 1 ? "item" : "items"}`,
  field: path,
});

function typeName(value: Exclude<Json, null>): string {
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function typeCauses(value: Exclude<Json, null>, schema: JsonMap, path: string): StatusCause[] {
  const { type } = schema;
  const wanted = schema["x-kubernetes-int-or-string"] === true ? ["integer", "string"] : typeof type === "string" ? [type] : [];
  const actual = typeName(value);
  if (wanted.length === 0 || wanted.includes(actual) || (actual === "integer" && type === "number")) return [];
  return [
    {
      reason: "FieldValueTypeInvalid",
      message: `Invalid value: "${actual}": ${path} in body must be of type ${wanted.join(",")}: "${actual}"`,
      field: path,
    },
  ];
}

function allowedCauses(value: Json, schema: JsonMap, path: string): StatusCause[] {
  const allowed = schema["enum"];
  if (!Array.isArray(allowed) || allowed.some((one) => isDeepStrictEqual(one, value))) return [];
  const supported = allowed.map((item) => JSON.stringify(item)).join(", ");
  return [{ reason: "FieldValueNotSupported", message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`, field: path }];
}

/** Patterns have the syntax of Go (`(?i)`, `\z`). A real server refuses a definition with an invalid one; here such a pattern matches any value. */
function matches(text: string, pattern: string): boolean {
  const { RE2JS, RE2JSSyntaxException } = require("re2js") as typeof import("re2js");
  try {
    return RE2JS.compile(pattern).matcher(text).find();
  } catch (thrown) {
    if (thrown instanceof RE2JSSyntaxException) return true;
    throw thrown;
  }
}

function textCauses(value: string, schema: JsonMap, path: string): StatusCause[] {
  const { minLength, maxLength, pattern, format } = schema;
  const length = [...value].length;
  const causes: StatusCause[] = [];
  if (typeof maxLength === "number" && length > maxLength)
    causes.push({ reason: "FieldValueTooLong", message: `Too long: may not be more than ${maxLength} bytes`, field: path });
  if (typeof minLength === "number" && length < minLength) causes.push(inBody(path, value, `should be at least ${minLength} chars long`));
  if (typeof pattern === "string" && !matches(value, pattern)) causes.push(inBody(path, value, `should match '${pattern}'`));
  if (typeof format === "string" && FORMATS[format]?.(value) === false) causes.push(inBody(path, value, `must be of type ${format}: ${JSON.stringify(value)}`));
  return causes;
}

function numberCauses(value: number, schema: JsonMap, path: string): StatusCause[] {
  const { minimum, maximum, multipleOf } = schema;
  const [above, below] = [schema["exclusiveMinimum"] === true, schema["exclusiveMaximum"] === true];
  const causes: StatusCause[] = [];
  if (typeof maximum === "number" && (below ? value >= maximum : value > maximum))
    causes.push(inBody(path, value, `should be less than ${below ? "" : "or equal to "}${maximum}`));
  if (typeof minimum === "number" && (above ? value <= minimum : value < minimum))
    causes.push(inBody(path, value, `should be greater than ${above ? "" : "or equal to "}${minimum}`));
  if (typeof multipleOf === "number" && !Number.isInteger(value / multipleOf)) causes.push(inBody(path, value, `should be a multiple of ${multipleOf}`));
  return causes;
}

function listCauses(value: readonly Json[], schema: JsonMap, path: string): StatusCause[] {
  const { minItems, maxItems, items } = schema;
  const causes: StatusCause[] = [];
  if (typeof maxItems === "number" && value.length > maxItems) causes.push(tooMany(path, value.length, maxItems));
  if (typeof minItems === "number" && value.length < minItems)
    causes.push(invalid(path, String(value.length), `${path} in body should have at least ${minItems} items`));
  if (isMap(items)) causes.push(...value.flatMap((entry, index) => schemaCauses(entry, items, `${path}[${index}]`)));
  return causes.length > 0 ? causes : duplicateCauses(value, schema, path);
}

/** Duplicate items of a set, and duplicate keys among the items of a map. */
function duplicateCauses(value: readonly Json[], schema: JsonMap, path: string): StatusCause[] {
  const keys = schema["x-kubernetes-list-map-keys"];
  const kind = schema["x-kubernetes-list-type"];
  if (kind !== "set" && !(kind === "map" && Array.isArray(keys))) return [];
  const identity = (entry: Json): Json =>
    Array.isArray(keys) && isMap(entry) ? Object.fromEntries(keys.flatMap((key) => (typeof key === "string" ? [[key, entry[key] ?? null]] : []))) : entry;
  const identities = value.map(identity);
  return identities.flatMap((one, index) =>
    identities.slice(0, index).some((before) => isDeepStrictEqual(before, one))
      ? [{ reason: "FieldValueDuplicate", message: `Duplicate value: ${JSON.stringify(one)}`, field: `${path}[${index}]` }]
      : [],
  );
}

function mapCauses(value: JsonMap, schema: JsonMap, path: string): StatusCause[] {
  const { required, minProperties, maxProperties } = schema;
  const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const count = Object.keys(value).length;
  const causes: StatusCause[] = [];
  if (typeof maxProperties === "number" && count > maxProperties) causes.push(tooMany(path, count, maxProperties));
  if (typeof minProperties === "number" && count < minProperties)
    causes.push(invalid(path, String(count), `${path} in body should have at least ${minProperties} properties`));
  if (Array.isArray(required)) {
    for (const key of required)
      if (typeof key === "string" && value[key] === undefined) causes.push({ reason: "FieldValueRequired", message: "Required value", field: below(key) });
  }
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  for (const [key, entry] of Object.entries(value)) {
    const inner = properties[key] ?? schema["additionalProperties"];
    if (isMap(inner) && !(path === "" && ROOT.has(key))) causes.push(...schemaCauses(entry, inner, below(key)));
  }
  return causes;
}

/** What `allOf`, `anyOf`, `oneOf` and `not` say. The server names no field here, and adds why the nearest alternative does not fit. */
function combinedCauses(value: Json, schema: JsonMap, path: string): StatusCause[] {
  const alternatives = (key: string): StatusCause[][] | undefined => {
    const given = schema[key];
    return Array.isArray(given) ? given.filter(isMap).map((one) => schemaCauses(value, one, path)) : undefined;
  };
  const nameless = (what: string): StatusCause => invalid("<nil>", '""', `"${path}" ${what}`);
  const nearest = (all: StatusCause[][]): StatusCause[] => all.reduce((best, one) => (one.length < best.length ? one : best));
  const causes: StatusCause[] = [];
  const all = alternatives("allOf");
  if (all?.some((one) => one.length > 0)) {
    const none = all.every((one) => one.length > 0) ? ". None validated" : "";
    causes.push(...all.flat(), nameless(`must validate all the schemas (allOf)${none}`));
  }
  const any = alternatives("anyOf");
  if (any?.every((one) => one.length > 0)) causes.push(nameless("must validate at least one schema (anyOf)"), ...nearest(any));
  const one = alternatives("oneOf");
  const valid = one?.filter((causesOfOne) => causesOfOne.length === 0).length;
  if (one !== undefined && valid === 0) causes.push(nameless("must validate one and only one schema (oneOf). Found none valid"), ...nearest(one));
  if (valid !== undefined && valid > 1) causes.push(nameless(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`));
  if (isMap(schema["not"]) && schemaCauses(value, schema["not"], path).length === 0) causes.push(nameless("must not validate the schema (not)"));
  return causes;
}
