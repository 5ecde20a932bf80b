/**
 * Bodies in the API's binary format, as far as clients write it here: Helm's records, the namespaces that it makes, and the options of
 * deletions. Answers are JSON, which every such client takes too.
 */
import { BinaryReader } from "google-protobuf";
import { StatusError } from "./status";

/** How a field's bytes become JSON; a nested table is a message of its own. */
type Kind = "string" | "bytes" | "boolean" | "number" | "time" | "ignored" | Message;
interface Field {
  name: string;
  kind: Kind;
  /** A list, or a map whose entries are messages of key and value. */
  repeated?: "list" | "map";
}
/** By field number (k8s.io/api/…/generated.proto). */
type Message = ReadonlyMap<number, Field>;

const message = (fields: Record<number, Field>): Message => new Map(Object.entries(fields).map(([number, field]) => [Number(number), field]));
const text = (name: string): Field => ({ name, kind: "string" });
const texts = (name: string): Field => ({ name, kind: "string", repeated: "list" });
const map = (name: string, kind: Kind = "string"): Field => ({ name, kind, repeated: "map" });

const OWNER = message({
  1: text("kind"),
  3: text("name"),
  4: text("uid"),
  5: text("apiVersion"),
  6: { name: "controller", kind: "boolean" },
  7: { name: "blockOwnerDeletion", kind: "boolean" },
});
const METADATA = message({
  1: text("name"),
  2: text("generateName"),
  3: text("namespace"),
  4: { name: "selfLink", kind: "ignored" },
  5: text("uid"),
  6: text("resourceVersion"),
  7: { name: "generation", kind: "number" },
  8: { name: "creationTimestamp", kind: "time" },
  9: { name: "deletionTimestamp", kind: "time" },
  10: { name: "deletionGracePeriodSeconds", kind: "number" },
  11: map("labels"),
  12: map("annotations"),
  13: { name: "ownerReferences", kind: OWNER, repeated: "list" },
  14: texts("finalizers"),
  // Who sends none keeps those that are there.
  17: { name: "managedFields", kind: "ignored", repeated: "list" },
});
const metadata: Field = { name: "metadata", kind: METADATA };

const MESSAGES: Record<string, Message> = {
  "v1/Secret": message({ 1: metadata, 2: map("data", "bytes"), 3: text("type"), 4: map("stringData"), 5: { name: "immutable", kind: "boolean" } }),
  "v1/ConfigMap": message({ 1: metadata, 2: map("data"), 3: map("binaryData", "bytes"), 4: { name: "immutable", kind: "boolean" } }),
  "v1/Namespace": message({
    1: metadata,
    2: { name: "spec", kind: message({ 1: texts("finalizers") }) },
    3: { name: "status", kind: message({ 1: text("phase") }) },
  }),
};
const DELETE_OPTIONS = message({
  1: { name: "gracePeriodSeconds", kind: "number" },
  2: { name: "preconditions", kind: message({ 1: text("uid"), 2: text("resourceVersion") }) },
  3: { name: "orphanDependents", kind: "boolean" },
  4: text("propagationPolicy"),
  5: texts("dryRun"),
});

const PREFIX = Buffer.from("k8s\0", "latin1");
const ENVELOPE = message({
  1: { name: "type", kind: message({ 1: text("apiVersion"), 2: text("kind") }) },
  2: { name: "raw", kind: "bytes" },
  3: { name: "contentEncoding", kind: "ignored" },
  4: { name: "contentType", kind: "ignored" },
});

const refuse = (what: string): StatusError =>
  new StatusError(415, "UnsupportedMediaType", `the lab does not read ${what} in application/vnd.kubernetes.protobuf`);

type Decoded = Record<string, unknown>;

function value(reader: BinaryReader, { name, kind, repeated }: Field, where: string): unknown {
  if (repeated === "map") {
    const entry = message({ 1: text("key"), 2: { name: "value", kind } });
    return decode(reader.readBytes(), entry, `${where}.${name}`);
  }
  switch (kind) {
    case "string":
      return reader.readString();
    case "bytes":
      return Buffer.from(reader.readBytes()).toString("base64");
    case "boolean":
      return reader.readBool();
    case "number":
      return reader.readInt64();
    case "time": {
      const { seconds } = decode(reader.readBytes(), message({ 1: { name: "seconds", kind: "number" }, 2: { name: "nanos", kind: "number" } }), where);
      return typeof seconds === "number" ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z") : null;
    }
    case "ignored":
      reader.skipField();
      return undefined;
    default:
      return decode(reader.readBytes(), kind, `${where}.${name}`);
  }
}

function decode(bytes: Uint8Array | string, fields: Message, where: string): Decoded {
  const reader = new BinaryReader(bytes);
  const result: Decoded = {};
  while (reader.nextField()) {
    const field = fields.get(reader.getFieldNumber());
    if (field === undefined) throw refuse(`field ${reader.getFieldNumber()} of ${where}`);
    const found = value(reader, field, where);
    if (found === undefined) continue;
    if (field.repeated === "list") result[field.name] = [...((result[field.name] as unknown[] | undefined) ?? []), found];
    else if (field.repeated === "map") {
      const { key = "", value: item = "" } = found as { key?: string; value?: unknown };
      result[field.name] = { ...(result[field.name] as Decoded | undefined), [key]: item };
    } else result[field.name] = found;
  }
  return result;
}

export const isProtobuf = (contentType: string): boolean => contentType.includes("protobuf");

/** @throws StatusError 415 for what clients of the lab do not write */
export function protobufBody(body: Buffer): Decoded {
  if (!body.subarray(0, 4).equals(PREFIX)) throw refuse("a body without its mark");
  const { type, raw } = decode(body.subarray(4), ENVELOPE, "runtime.Unknown") as { type?: { apiVersion?: string; kind?: string }; raw?: string };
  const { apiVersion = "", kind = "" } = type ?? {};
  const fields = kind === "DeleteOptions" ? DELETE_OPTIONS : MESSAGES[`${apiVersion}/${kind}`];
  if (fields === undefined) throw refuse(`${apiVersion} ${kind}`);
  return { apiVersion, kind, ...decode(Buffer.from(raw ?? "", "base64"), fields, kind) };
}
