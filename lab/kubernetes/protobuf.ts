/**
 * Bodies in the API's binary format, as kubectl and other Go clients write them. Which field has which number and type is data, taken
 * from the API's published definitions (k8s.io/api 0.34.2). Answers are JSON, which every such client takes too.
 */
import { BinaryReader } from "google-protobuf";
import { z } from "zod";
import { readData } from "./resource-types";
import { StatusError } from "./status";

/** Name in JSON ("" if its fields belong to the enclosing message), type, "list" or "map" or "", 1 where zero is not the same as missing. */
type Field = readonly [name: string, type: string, repeated: "" | "list" | "map", pointer: number];
const tableSchema = z.record(z.string(), z.record(z.string(), z.tuple([z.string(), z.string(), z.enum(["", "list", "map"]), z.number()])));

let table: z.infer<typeof tableSchema> | undefined;
function messages(): z.infer<typeof tableSchema> {
  table ??= tableSchema.parse(readData("protobuf.json.gz"));
  return table;
}

const META = "k8s.io.apimachinery.pkg.apis.meta.v1.";

const PREFIX = Buffer.from("k8s\0", "latin1");

const refuse = (what: string): StatusError =>
  new StatusError(415, "UnsupportedMediaType", `the lab does not read ${what} in application/vnd.kubernetes.protobuf`);

type Decoded = Record<string, unknown>;

/** Messages that JSON writes as something else than an object. */
const SPECIAL: Readonly<Record<string, (message: Decoded) => unknown>> = {
  [`${META}Time`]: ({ seconds }) => (seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, "Z")),
  [`${META}MicroTime`]: ({ seconds, nanos = 0 }) =>
    seconds === undefined ? null : new Date(Number(seconds) * 1000 + Number(nanos) / 1e6).toISOString().replace(/(\.\d{3})Z$/, "$1000Z"),
  "k8s.io.apimachinery.pkg.api.resource.Quantity": ({ string }) => string ?? "0",
  "k8s.io.apimachinery.pkg.util.intstr.IntOrString": ({ type = 0, intVal = 0, strVal = "" }) => (Number(type) === 0 ? Number(intVal) : strVal),
  "k8s.io.apimachinery.pkg.runtime.RawExtension": ({ "-": raw }) =>
    raw === undefined ? null : JSON.parse(Buffer.from(String(raw), "base64").toString("utf8")),
};
/** Messages that are a list and nothing else. */
const isList = (type: string): boolean => /\.(ExtraValue|Verbs)$/.test(type);

function scalar(reader: BinaryReader, type: string): unknown {
  switch (type) {
    case "string":
      return reader.readString();
    case "bytes":
      return Buffer.from(reader.readBytes()).toString("base64");
    case "bool":
      return reader.readBool();
    case "int32":
      return reader.readInt32();
    case "int64":
    case "uint64":
    case "uint32":
      return reader.readInt64();
    case "double":
      return reader.readDouble();
    default:
      return undefined;
  }
}

const isScalar = (type: string): boolean => !type.includes(".");

function value(reader: BinaryReader, [name, type, repeated]: Field, where: string): unknown {
  if (repeated !== "map") return isScalar(type) ? scalar(reader, type) : read(reader.readBytes(), type, `${where}.${name}`);
  const inner = new BinaryReader(reader.readBytes());
  const entry: [key: string, value: unknown] = ["", isScalar(type) ? "" : read(new Uint8Array(), type, where)];
  while (inner.nextField()) {
    if (inner.getFieldNumber() === 1) entry[0] = inner.readString();
    else entry[1] = isScalar(type) ? scalar(inner, type) : read(inner.readBytes(), type, `${where}.${name}`);
  }
  return entry;
}

/** Go writes a field that is not a pointer even when it is zero; JSON leaves it out. */
const isNothing = (found: unknown, [, , repeated, pointer]: Field): boolean =>
  repeated === "" && pointer === 0 && (found === "" || found === 0 || found === false);

function decode(bytes: Uint8Array | string, type: string, where: string): Decoded {
  const fields = messages()[type];
  if (fields === undefined) throw refuse(`the message ${type} of ${where}`);
  const reader = new BinaryReader(bytes);
  const result: Decoded = {};
  while (reader.nextField()) {
    const field = fields[String(reader.getFieldNumber())];
    if (field === undefined) throw refuse(`field ${reader.getFieldNumber()} of ${where}`);
    const [name, , repeated] = field;
    // Left out: a client that sends no managed fields keeps the stored ones.
    if (name === "managedFields" || name === "selfLink") {
      reader.skipField();
      continue;
    }
    const found = value(reader, field, where);
    if (isNothing(found, field)) continue;
    if (repeated === "list") result[name] = [...((result[name] as unknown[] | undefined) ?? []), found];
    else if (repeated === "map") {
      const [key, item] = found as [string, unknown];
      result[name] = { ...(result[name] as Decoded | undefined), [key]: item };
    } else if (name === "") Object.assign(result, found);
    else result[name] = found;
  }
  return result;
}

function read(bytes: Uint8Array | string, type: string, where: string): unknown {
  const message = decode(bytes, type, where);
  if (isList(type)) return message["items"] ?? [];
  const special = SPECIAL[type];
  return special === undefined ? message : special(message);
}

export const isProtobuf = (contentType: string): boolean => contentType.includes("protobuf");

/** `apps/v1` and `Deployment` to the name of the message. */
function messageOf(apiVersion: string, kind: string): string | undefined {
  if (/^(DeleteOptions|Status|PatchOptions|CreateOptions|UpdateOptions)$/.test(kind)) return `${META}${kind}`;
  const [first = "", second] = apiVersion.split("/");
  const [group = "core", version] = second === undefined ? ["core", first] : [first.split(".")[0], second];
  const prefix = group === "apiextensions" ? "k8s.io.apiextensions_apiserver.pkg.apis." : "k8s.io.api.";
  const name = `${prefix}${group}.${version}.${kind}`;
  return messages()[name] === undefined ? undefined : name;
}

/** The envelope `runtime.Unknown`: type, content and how it is encoded. */
function envelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const reader = new BinaryReader(bytes);
  const found = { apiVersion: "", kind: "", raw: new Uint8Array() };
  while (reader.nextField()) {
    if (reader.getFieldNumber() === 2) found.raw = new Uint8Array(reader.readBytes());
    else if (reader.getFieldNumber() === 1) {
      const type = new BinaryReader(reader.readBytes());
      while (type.nextField()) {
        if (type.getFieldNumber() === 1) found.apiVersion = type.readString();
        else found.kind = type.readString();
      }
    } else reader.skipField();
  }
  return found;
}

/** @throws StatusError 415 for a kind or a field that the lab's table does not have */
export function protobufBody(body: Buffer): Decoded {
  if (!body.subarray(0, 4).equals(PREFIX)) throw refuse("a body without its mark");
  const { apiVersion, kind, raw } = envelope(body.subarray(4));
  const message = messageOf(apiVersion, kind);
  if (message === undefined) throw refuse(`${apiVersion} ${kind}`);
  return { apiVersion, kind, ...decode(raw, message, kind) };
}
