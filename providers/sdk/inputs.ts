/** Validation of inputs by zod schemas, in which a value that is not known yet is right everywhere. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { CheckFailure } from "./resource";
import { notKnown } from "./unknown-input";
import { containsUnknown, isValues, type Json, Unknown, type Value, type Values } from "./values";

function valueAt(root: Value, path: readonly PropertyKey[]): Value | undefined {
  let value: Value | undefined = root;
  for (const step of path) {
    if (value instanceof Unknown) return value;
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isValues(value)) value = value[String(step)];
    else return undefined;
  }
  return value;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? String(step) : `.${String(step)}`)).join("");

/** The schema without wrappers for optional values, defaults and preprocessing. */
function bare(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) return bare(schema.def.innerType);
  return schema instanceof z.ZodPipe ? bare(schema.def.out) : schema;
}

/** The properties that a schema knows at a path. */
export function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let inner = bare(schema);
  for (const step of path) {
    if (inner instanceof z.ZodArray) inner = bare(inner.def.element);
    else if (inner instanceof z.ZodRecord) inner = bare(inner.def.valueType);
    else inner = inner instanceof z.ZodObject ? bare(inner.shape[String(step)]) : undefined;
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** What is wrong with the inputs; strict schemas name properties that are not supported. */
export function checkInputs(schema: z.ZodType, inputs: Values): CheckFailure[] {
  const result = schema.safeParse(inputs);
  if (result.success) return [];
  const failures: CheckFailure[] = [];
  for (const issue of result.error.issues) {
    const value = valueAt(inputs, issue.path);
    if (value instanceof Unknown || (issue.code === "invalid_union" && value !== undefined && containsUnknown(value))) continue;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        failures.push({ property: pathText([...issue.path, key]), reason: notKnown(key, namesAt(schema, issue.path)) });
      }
    } else {
      failures.push({ property: pathText(issue.path), reason: issue.message });
    }
  }
  return failures;
}

/** Inputs that went through {@link checkInputs} before, as the schema types them. */
export function parseInputs<T>(schema: z.ZodType<T>, inputs: Json): T {
  const result = schema.safeParse(inputs);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new HomelabError("E_INPUTS", `${pathText(issue?.path ?? [])}: ${issue?.message ?? "not understood"}`, { cause: result.error });
}
