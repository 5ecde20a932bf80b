/** Sets of fields (FieldsV1) and what server-side apply does with them. */
import { field, isAtomicMap, items, keyDefault, listType, type Schema } from "./field-schema";
import { isMap, type Json, type JsonMap, type ManagedFields, same } from "./objects";

/** Fields of an object that nobody owns. */
const UNOWNED_META = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "managedFields",
  "generateName",
]);

const keyOf = (item: Json, keys: readonly string[], schema: Schema): string => {
  const map = isMap(item) ? item : {};
  const found = Object.fromEntries(
    [...keys].sort().flatMap((key) => {
      const value = map[key] ?? (keyDefault(schema, key) as Json | undefined);
      return value === undefined ? [] : [[key, value]];
    }),
  );
  return `k:${JSON.stringify(found)}`;
};

/** @param dots whether maps own themselves too (Update does, Apply does not; list items always do) */
function fieldsOf(value: Json, schema: Schema, dots: boolean): JsonMap {
  if (isMap(value) && !isAtomicMap(schema)) {
    const entries = Object.entries(value).map(([key, child]) => [`f:${key}`, fieldsOf(child, field(schema, key), dots)] as const);
    return Object.fromEntries(dots && entries.length > 0 ? [[".", {}], ...entries] : entries);
  }
  if (Array.isArray(value)) {
    const type = listType(schema);
    if (type.kind === "map") {
      const entries = value.map((item) => [keyOf(item, type.keys, schema), { ".": {}, ...withoutDot(fieldsOf(item, items(schema), dots)) }] as const);
      return Object.fromEntries(dots && entries.length > 0 ? [[".", {}], ...entries] : entries);
    }
    if (type.kind === "set")
      return Object.fromEntries([...(dots ? [[".", {}] as const] : []), ...value.map((item) => [`v:${JSON.stringify(item)}`, {}] as const)]);
  }
  return {};
}

const withoutDot = ({ ".": _dot, ...rest }: JsonMap): JsonMap => rest;

/** Maps that exist in every object: nobody owns them as such. */
const STRUCTURAL = new Set(["f:metadata", "f:spec", "f:status"]);

/** The fields that a writer of this object owns. */
export function ownedFields(object: JsonMap, schema: Schema, dots: boolean): JsonMap {
  const fields: JsonMap = {};
  for (const [key, value] of Object.entries(object)) {
    if (key === "apiVersion" || key === "kind") continue;
    const content = key === "metadata" && isMap(value) ? Object.fromEntries(Object.entries(value).filter(([k]) => !UNOWNED_META.has(k))) : value;
    if (isMap(content) && Object.keys(content).length === 0 && (key === "metadata" || key === "status")) continue;
    const own = fieldsOf(content as Json, field(schema, key), dots);
    fields[`f:${key}`] = STRUCTURAL.has(`f:${key}`) ? withoutDot(own) : own;
  }
  return sortFields(fields);
}

function sortFields(fields: JsonMap): JsonMap {
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, isMap(fields[key]) ? sortFields(fields[key] as JsonMap) : (fields[key] ?? null)]),
  );
}

/** Paths of leaves of a set: what a manager owns, each as a list of steps. */
function leaves(fields: JsonMap, prefix: string[] = []): string[][] {
  const entries = Object.entries(fields);
  if (entries.length === 0) return [prefix];
  return entries.flatMap(([key, child]) => (key === "." ? [[...prefix, "."]] : leaves(isMap(child) ? child : {}, [...prefix, key])));
}

/** Whether a set has a field at or below a path. */
function owns(fields: JsonMap, path: readonly string[]): boolean {
  let node: Json | undefined = fields;
  for (const step of path) {
    if (!isMap(node)) return false;
    node = node[step];
    if (node === undefined) return false;
  }
  return true;
}

/** Whether a set has exactly this field, not only some below it. */
function ownsItself(fields: JsonMap, path: readonly string[]): boolean {
  let node: Json | undefined = fields;
  for (const step of path) node = isMap(node) ? node[step] : undefined;
  return isMap(node) && (Object.keys(node).length === 0 || "." in node);
}

/** The value at a path of a set inside an object. */
function valueAt(value: Json | undefined, path: readonly string[], schema: Schema): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined || step === ".") return value;
  if (step.startsWith("f:")) return isMap(value) ? valueAt(value[step.slice(2)], rest, field(schema, step.slice(2))) : undefined;
  if (!Array.isArray(value)) return undefined;
  if (step.startsWith("v:")) return value.find((item) => JSON.stringify(item) === step.slice(2));
  const type = listType(schema);
  const keys = type.kind === "map" ? type.keys : [];
  const item = value.find((candidate) => keyOf(candidate, keys, schema) === step);
  return item === undefined ? undefined : valueAt(item, rest, items(schema));
}

/** `.spec.template.spec.containers[name="c"].image` */
function pathText(path: readonly string[]): string {
  return path
    .filter((step) => step !== ".")
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (step.startsWith("k:"))
        return `[${Object.entries(JSON.parse(step.slice(2)) as JsonMap)
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .join(",")}]`;
      return `[=${step.slice(2)}]`;
    })
    .join("");
}

/** Fields of the applied object that others own with another value. */
export function conflicts(
  applied: JsonMap,
  live: JsonMap,
  fields: JsonMap,
  managers: readonly ManagedFields[],
  manager: string,
  schema: Schema,
): { manager: ManagedFields; field: string }[] {
  const found: { manager: ManagedFields; field: string }[] = [];
  for (const path of leaves(fields)) {
    // An applied object that has only a name gives a single, empty path.
    if (path.length === 0 || path.at(-1) === ".") continue;
    const wanted = valueAt(applied, path, schema);
    if (same(wanted, valueAt(live, path, schema))) continue;
    for (const other of managers) {
      if (other.manager === manager && other.operation === "Apply") continue;
      if (ownsItself(other.fieldsV1, path)) found.push({ manager: other, field: pathText(path) });
    }
  }
  return found;
}

/** The live value with the applied one laid over it: maps merge, keyed lists merge item by item, all else is replaced. */
export function merge(live: Json | undefined, applied: Json, schema: Schema): Json {
  if (isMap(applied) && isMap(live) && !isAtomicMap(schema)) {
    const merged: JsonMap = { ...live };
    for (const [key, value] of Object.entries(applied)) merged[key] = merge(live[key], value, field(schema, key));
    return merged;
  }
  if (Array.isArray(applied) && Array.isArray(live)) {
    const type = listType(schema);
    if (type.kind === "map") {
      const keyed = (item: Json): string => keyOf(item, type.keys, schema);
      const old = new Map(live.map((item) => [keyed(item), item]));
      const wanted = new Set(applied.map(keyed));
      return [...applied.map((item) => merge(old.get(keyed(item)), item, items(schema))), ...live.filter((item) => !wanted.has(keyed(item)))];
    }
    if (type.kind === "set") return [...live, ...applied.filter((item) => !live.some((other) => same(item, other)))];
  }
  return applied;
}

/** Stands for a map or list that has lost its last entry: the server drops it, but counts it as an entry of what it is in. */
const EMPTIED: JsonMap = {};

const isEmpty = (value: Json): boolean => (isMap(value) ? Object.keys(value).length === 0 : Array.isArray(value) && value.length === 0);

function withoutEmptied(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmptied);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, entry]) => (entry === EMPTIED ? [] : [[key, withoutEmptied(entry)]])));
}

/** Removes fields that the manager owned and no longer applies, unless another manager owns them too. */
export function removeDropped(value: JsonMap, before: JsonMap, now: JsonMap, others: readonly ManagedFields[], schema: Schema): JsonMap {
  let result: Json = value;
  // A map that is owned as such stays as long as something in it is.
  const held = (path: readonly string[]): readonly string[] => (path.at(-1) === "." ? path.slice(0, -1) : path);
  const dropped = leaves(before).filter((path) => !owns(now, held(path)) && !others.some((other) => owns(other.fieldsV1, held(path))));
  for (const path of dropped) result = remove(result, path, schema) ?? {};
  result = withoutEmptied(result);
  return isMap(result) ? result : {};
}

function remove(value: Json, path: readonly string[], schema: Schema): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined || (step === "." && rest.length === 0)) return undefined;
  if (step.startsWith("f:")) {
    const key = step.slice(2);
    if (!isMap(value) || value[key] === undefined) return value;
    const before = value[key] ?? null;
    const child = remove(before, rest, field(schema, key));
    const { [key]: _gone, ...others } = value;
    if (child === undefined) return others;
    return { ...value, [key]: isEmpty(child) && !isEmpty(before) ? EMPTIED : child };
  }
  if (!Array.isArray(value)) return value;
  const type = listType(schema);
  const matches = (item: Json): boolean =>
    step.startsWith("v:") ? JSON.stringify(item) === step.slice(2) : type.kind === "map" && keyOf(item, type.keys, schema) === step;
  return value.flatMap((item) => {
    if (!matches(item)) return [item];
    const child = remove(item, rest, items(schema));
    return child === undefined ? [] : [child];
  });
}

/** Sets without what `taken` has. */
export function subtract(fields: JsonMap, taken: JsonMap): JsonMap {
  const left: JsonMap = {};
  for (const [key, child] of Object.entries(fields)) {
    const other = taken[key];
    if (other === undefined) left[key] = child;
    else if (isMap(child) && Object.keys(child).length > 0 && isMap(other)) {
      const rest = subtract(child, other);
      if (Object.keys(rest).length > 0) left[key] = rest;
    }
  }
  return left;
}
