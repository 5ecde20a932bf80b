/** Provider configuration: the SDK sends values that are no strings as JSON text. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { namesAt } from "./inputs";
import type { CheckFailure } from "./resource";
import { containsUnknown, type JsonObject, type Values } from "./values";

const fromText = (value: unknown): unknown => {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    // Not JSON: the schema says what it should have been.
    return value;
  }
};

/** A setting of any other type than string, as it is or as JSON text. */
export const jsonSetting = <T extends z.ZodType>(schema: T) => z.preprocess(fromText, schema);

/** Keys that engines and SDKs add. */
const withoutNotes = (config: Values): Values => Object.fromEntries(Object.entries(config).filter(([key]) => key !== "version" && !key.startsWith("__")));

function noSetting(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `there is no such setting, or the embedded provider does not support it${meant === undefined ? "" : `: did you mean \`${meant}\`?`}`;
}

/** @param refused settings that exist but are not supported, with the reason */
export function checkProviderConfig(schema: z.ZodType, config: Values, refused: Readonly<Record<string, string>> = {}): CheckFailure[] {
  const known = Object.fromEntries(Object.entries(withoutNotes(config)).filter(([, value]) => !containsUnknown(value)));
  const failures = Object.keys(known)
    .filter((key) => key in refused)
    .map((key) => ({ property: key, reason: `the embedded provider does not support it: ${refused[key]}; the official plugin does` }));
  const supported = Object.fromEntries(Object.entries(known).filter(([key]) => !(key in refused)));
  const result = schema.safeParse(supported);
  if (result.success) return failures;
  for (const issue of result.error.issues) {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys")
      for (const key of issue.keys) failures.push({ property: key, reason: noSetting(key, [...namesAt(schema, []), ...Object.keys(refused)]) });
    else if (!containsUnknown(config[String(issue.path[0])] ?? null)) failures.push({ property: path, reason: issue.message });
  }
  return failures;
}

export function parseProviderConfig<T>(provider: string, schema: z.ZodType<T>, config: JsonObject): T {
  const result = schema.safeParse(withoutNotes(config));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new HomelabError("E_PROVIDER_CONFIG", `provider ${provider}: ${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "not understood"}`);
}
