/**
 * The API's OpenAPI v2 document in the binary form that Go's clients ask for before they validate objects (gnostic's openapiv2.Document):
 * its definitions, which is what they read.
 */
import { BinaryWriter } from "google-protobuf";
import { readData } from "./resource-types";

interface Schema {
  $ref?: string;
  format?: string;
  description?: string;
  required?: string[];
  enum?: unknown[];
  additionalProperties?: Schema;
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  [extension: `x-${string}`]: unknown;
}
interface Document {
  swagger: string;
  info: { title: string; version: string };
  definitions: Record<string, Schema>;
}

export const OPENAPI_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

function bytes(fill: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  fill(writer);
  return writer.getResultBuffer();
}

/** A value of any kind, as YAML: JSON is. */
const anyValue = (value: unknown): Uint8Array => bytes((w) => w.writeString(2, `${JSON.stringify(value)}\n`));

const named = (name: string, value: Uint8Array): Uint8Array =>
  bytes((w) => {
    w.writeString(1, name);
    w.writeBytes(2, value);
  });

function writeSchemas(writer: BinaryWriter, schemas: Record<string, Schema>): void {
  for (const [name, schema] of Object.entries(schemas)) writer.writeBytes(1, named(name, schemaBytes(schema)));
}

function schemaBytes(schema: Schema): Uint8Array {
  const { $ref, format, description, required = [], additionalProperties, type, items, properties } = schema;
  return bytes((w) => {
    if ($ref !== undefined) w.writeString(1, $ref);
    if (format !== undefined) w.writeString(2, format);
    if (description !== undefined) w.writeString(4, description);
    for (const name of required) w.writeString(19, name);
    for (const value of schema.enum ?? []) w.writeBytes(20, anyValue(value));
    if (additionalProperties !== undefined)
      w.writeBytes(
        21,
        bytes((item) => item.writeBytes(1, schemaBytes(additionalProperties))),
      );
    if (type !== undefined)
      w.writeBytes(
        22,
        bytes((item) => item.writeString(1, type)),
      );
    if (items !== undefined)
      w.writeBytes(
        23,
        bytes((item) => item.writeBytes(1, schemaBytes(items))),
      );
    if (properties !== undefined)
      w.writeBytes(
        25,
        bytes((item) => writeSchemas(item, properties)),
      );
    for (const [name, value] of Object.entries(schema)) if (name.startsWith("x-")) w.writeBytes(31, named(name, anyValue(value)));
  });
}

let encoded: Buffer | undefined;

export function openapiProtobuf(): Buffer {
  if (encoded === undefined) {
    const { swagger, info, definitions } = readData("openapi-v2.json.gz") as Document;
    encoded = Buffer.from(
      bytes((w) => {
        w.writeString(1, swagger);
        w.writeBytes(
          2,
          bytes((item) => {
            item.writeString(1, info.title);
            item.writeString(2, info.version);
          }),
        );
        w.writeBytes(
          9,
          bytes((item) => writeSchemas(item, definitions)),
        );
      }),
    );
  }
  return encoded;
}
