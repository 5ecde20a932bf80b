/** JSON patch, merge patch and strategic merge patch. */
import { field, items, patchMergeKey, type Schema, schemaOf } from "./field-schema";
import { isMap, type Json, type JsonMap, same } from "./objects";
import type { ResourceType } from "./resource-types";
import { StatusError } from "./status";

const refused = (): StatusError => new StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {});

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

const pointer = (path: string): string[] =>
  path === ""
    ? []
    : path
        .split("/")
        .slice(1)
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

function get(value: Json, path: readonly string[]): Json {
  return path.reduce<Json>((node, key) => {
    const next = Array.isArray(node) ? node[Number(key)] : isMap(node) ? node[key] : undefined;
    if (next === undefined) throw refused();
    return next;
  }, value);
}

function change(value: Json, path: readonly string[], edit: (container: Json, key: string) => Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) throw refused();
  if (rest.length === 0) return edit(value, key);
  if (Array.isArray(value)) return value.map((item, i) => (i === Number(key) ? change(item, rest, edit) : item));
  if (!isMap(value) || value[key] === undefined) throw refused();
  return { ...value, [key]: change(value[key], rest, edit) };
}

const add = (value: Json, path: readonly string[], added: Json): Json =>
  path.length === 0
    ? added
    : change(value, path, (container, key) => {
        if (Array.isArray(container)) {
          const index = key === "-" ? container.length : Number(key);
          if (!(index >= 0 && index <= container.length)) throw refused();
          return [...container.slice(0, index), added, ...container.slice(index)];
        }
        if (!isMap(container)) throw refused();
        return { ...container, [key]: added };
      });

const remove = (value: Json, path: readonly string[]): Json =>
  change(value, path, (container, key) => {
    if (Array.isArray(container)) {
      if (Number(key) >= container.length) throw refused();
      return container.filter((_item, i) => i !== Number(key));
    }
    if (!isMap(container) || container[key] === undefined) throw refused();
    const { [key]: _gone, ...rest } = container;
    return rest;
  });

function jsonPatch(value: Json, operations: readonly Operation[]): Json {
  return operations.reduce((current, { op, path, from, value: next }) => {
    const target = pointer(path);
    switch (op) {
      case "add":
        return add(current, target, next ?? null);
      case "remove":
        return remove(current, target);
      case "replace":
        get(current, target);
        return target.length === 0
          ? (next ?? null)
          : change(current, target, (c, key) =>
              Array.isArray(c) ? c.map((item, i) => (i === Number(key) ? (next ?? null) : item)) : { ...(c as JsonMap), [key]: next ?? null },
            );
      case "test":
        if (!same(get(current, target), next)) throw refused();
        return current;
      case "copy":
        return add(current, target, get(current, pointer(from ?? "")));
      case "move": {
        const moved = get(current, pointer(from ?? ""));
        return add(remove(current, pointer(from ?? "")), target, moved);
      }
      default:
        throw refused();
    }
  }, value);
}

/** RFC 7386. */
function mergePatch(value: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const result: JsonMap = isMap(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete result[key];
    else result[key] = mergePatch(result[key], change);
  }
  return result;
}

/** Merge patch with lists that merge by a key, and `$patch: delete|replace`. */
function strategicMergePatch(value: Json | undefined, patch: Json, schema: Schema): Json {
  if (Array.isArray(patch)) {
    const key = patchMergeKey(schema);
    if (key === undefined || !Array.isArray(value)) return patch.filter((item) => !(isMap(item) && item["$patch"] !== undefined));
    let result = [...value];
    for (const item of patch) {
      if (!isMap(item)) continue;
      const index = result.findIndex((other) => isMap(other) && same(other[key], item[key]));
      if (item["$patch"] === "delete") result = result.filter((_other, i) => i !== index);
      else if (index >= 0) result[index] = strategicMergePatch(result[index], item, items(schema));
      else result.push(item);
    }
    return result;
  }
  if (!isMap(patch)) return patch;
  if (patch["$patch"] === "replace") {
    const { $patch: _directive, ...rest } = patch;
    return rest;
  }
  const result: JsonMap = isMap(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (change === null) delete result[key];
    else result[key] = strategicMergePatch(result[key], change, field(schema, key));
  }
  return result;
}

/** The patch that the content type names, except for apply (`ObjectStore.apply`). @throws StatusError 415 */
export function patchOf(contentType: string, type: ResourceType, body: Json): (object: Json) => Json {
  if (contentType.includes("json-patch")) return (object) => jsonPatch(object, body as unknown as Parameters<typeof jsonPatch>[1]);
  if (contentType.includes("strategic-merge-patch") && type.crd === undefined) return (object) => strategicMergePatch(object, body, schemaOf(type));
  if (contentType.includes("merge-patch")) return (object) => mergePatch(object, body);
  throw new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml`,
  );
}
