/** Numbers that arrive over gRPC and have no form in JSON, which all target systems are sent: null would be sent in their place. */
import type { CheckFailure } from "./resource";
import { isValues, Secret, type Value, type Values } from "./values";

function within(value: Value, path: string): CheckFailure[] {
  if (value instanceof Secret) return within(value.value, path);
  if (Array.isArray(value)) return value.flatMap((item, at) => within(item, `${path}[${at}]`));
  if (isValues(value)) return Object.entries(value).flatMap(([key, item]) => within(item, path === "" ? key : `${path}.${key}`));
  if (typeof value !== "number" || Number.isFinite(value)) return [];
  return [{ property: path, reason: `${value} is no number that can be sent: it may come from a text or a setting that is none` }];
}

export const unsendable = (news: Values): CheckFailure[] => within(news, "");
