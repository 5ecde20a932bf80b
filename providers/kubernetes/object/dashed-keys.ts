/** Keys that the SDK's types write with underscores and the API with dashes: extensions of OpenAPI in CustomResourceDefinitions. */
import { isValues, type Value, type Values } from "../../sdk/values";

const DASHED = ["embedded-resource", "int-or-string", "list-map-keys", "list-type", "map-type", "preserve-unknown-fields", "validations"].map(
  (name) => `x-kubernetes-${name}`,
);
const TO_API = new Map(DASHED.map((name) => [name.replaceAll("-", "_"), name]));
const FROM_API = new Map(DASHED.map((name) => [name, name.replaceAll("-", "_")]));

function renamed(value: Value, names: ReadonlyMap<string, string>): Value {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (!isValues(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [names.get(key) ?? key, renamed(item, names)]));
}

export const asApiWrites = <T extends Values>(inputs: T): T => renamed(inputs, TO_API) as T;
export const asSdkWrites = <T extends Values>(live: T): T => renamed(live, FROM_API) as T;
