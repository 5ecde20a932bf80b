/** Empty values in states: official plugins write a null, or an empty list or map, for an input without a value. */
import { isValues, type Json, type JsonObject } from "./values";

export const saysNothing = (value: Json): boolean =>
  value === null || (Array.isArray(value) && value.length === 0) || (isValues(value) && Object.keys(value).length === 0);

/** Keeps the empty values of `before`, so that a refresh that finds no difference changes nothing. */
export function withNullsOf(before: JsonObject, after: JsonObject): JsonObject {
  const restored = (was: Json | undefined, is: Json): Json => {
    if (Array.isArray(was) && Array.isArray(is)) return is.map((item, i) => restored(was[i], item));
    return isValues(was) && isValues(is) ? withNullsOf(was, is) : is;
  };
  const nothings = Object.entries(before).filter(([key, value]) => saysNothing(value) && !(key in after));
  return Object.fromEntries([...Object.entries(after).map(([key, value]): [string, Json] => [key, restored(before[key], value)]), ...nothings]);
}
