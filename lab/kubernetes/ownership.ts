/** Who owns which fields: server-side apply, and what other writers are said to own. */
import { schemaOf } from "./field-schema";
import { conflicts, merge, ownedFields, removeDropped, subtract } from "./managed-fields";
import { isMap, type Json, type JsonMap, type KubeObject, type ManagedFields, same } from "./objects";
import { apiVersionOf, type ResourceType } from "./resource-types";
import { StatusError } from "./status";

interface Writer {
  manager: string;
  subresource?: "status" | "scale" | undefined;
  /** The time of the write, as objects have it. */
  now: string;
}

const entryOf = (type: ResourceType, { manager, subresource, now }: Writer, operation: "Apply" | "Update", fieldsV1: JsonMap): ManagedFields => ({
  manager,
  operation,
  apiVersion: apiVersionOf(type),
  time: now,
  fieldsType: "FieldsV1",
  fieldsV1,
  ...(subresource ? { subresource } : {}),
});

/** Records in `managedFields` which fields a writer changed. */
export function noteUpdate(type: ResourceType, object: KubeObject, old: KubeObject | undefined, writer: Writer): void {
  const { manager, subresource } = writer;
  const fieldsV1 = ownedFields(changedPart(object, old, subresource) as JsonMap, schemaOf(type), true);
  const isMine = (m: ManagedFields): boolean => m.manager === manager && m.operation === "Update" && m.subresource === subresource;
  const all = object.metadata.managedFields ?? [];
  const mine = all.find(isMine);
  const combined = mine === undefined ? fieldsV1 : (merge(mine.fieldsV1, fieldsV1, undefined) as JsonMap);
  if (Object.keys(combined).length === 0) return;
  object.metadata.managedFields = [...all.filter((m) => !isMine(m)), entryOf(type, writer, "Update", combined)];
}

/**
 * The object that an apply makes.
 * @param config what is applied
 * @param live the object that is there
 * @throws StatusError 409 where other managers own what would change, and `force` is not given
 */
export function applied(type: ResourceType, config: KubeObject, live: KubeObject | undefined, writer: Writer & { force: boolean }): KubeObject {
  const schema = schemaOf(type);
  const clean = JSON.parse(
    JSON.stringify({ ...config, metadata: { ...config.metadata, managedFields: undefined, resourceVersion: undefined, uid: undefined } }),
  ) as JsonMap;
  const fields = ownedFields(clean, schema, false);
  const entry = entryOf(type, writer, "Apply", fields);
  if (live === undefined) {
    const object = clean as unknown as KubeObject;
    object.metadata.managedFields = [entry];
    return object;
  }
  const managers = live.metadata.managedFields ?? [];
  const found = conflicts(clean, live as unknown as JsonMap, fields, managers, writer.manager, schema);
  if (found.length > 0 && !writer.force) throw applyConflict(found);
  const before = managers.find((m) => m.manager === writer.manager && m.operation === "Apply");
  const others = managers.filter((m) => m !== before).map((m) => (found.some((f) => f.manager === m) ? { ...m, fieldsV1: subtract(m.fieldsV1, fields) } : m));
  let merged = merge(live as unknown as Json, clean, schema) as JsonMap;
  if (before !== undefined) merged = removeDropped(merged, before.fieldsV1, fields, others, schema);
  const unchangedSet = before !== undefined && same(before.fieldsV1, fields);
  const next = merged as unknown as KubeObject;
  next.metadata = { ...next.metadata, managedFields: [unchangedSet && before ? before : entry, ...others].filter((m) => Object.keys(m.fieldsV1).length > 0) };
  return next;
}

/** The part of an object that a writer changed: all of it for a new one. */
function changedPart(object: KubeObject, old: KubeObject | undefined, subresource: string | undefined): unknown {
  if (subresource === "status") return { status: object["status"] };
  const { status: _status, ...rest } = object;
  if (old === undefined) return rest;
  const diff = (next: unknown, before: unknown): unknown => {
    if (!isMap(next) || !isMap(before)) return next;
    return Object.fromEntries(
      Object.entries(next)
        .filter(([key, value]) => !same(value, before[key]))
        .map(([key, value]) => [key, diff(value, before[key])]),
    );
  };
  return diff(rest, old);
}

function applyConflict(found: { manager: ManagedFields; field: string }[]): StatusError {
  const causes = found.map(({ manager, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager.manager}"${manager.operation === "Update" ? ` using ${manager.apiVersion}` : ""}`,
    field,
  }));
  const byManager = new Map<string, string[]>();
  for (const { message, field } of causes) byManager.set(message, [...(byManager.get(message) ?? []), field]);
  const texts = [...byManager].map(([message, fields]) =>
    fields.length === 1 ? `${message}: ${fields[0]}` : `${message}:\n${fields.map((f) => `- ${f}`).join("\n")}`,
  );
  return new StatusError(409, "Conflict", `Apply failed with ${causes.length} conflict${causes.length === 1 ? "" : "s"}: ${texts.join("\n")}`, { causes });
}
