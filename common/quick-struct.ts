/**
 * Makes google-protobuf's Struct quick: it stays encoded until its fields are read. The SDK, our engine and our providers only convert
 * it from and to plain values, and for that the library builds a message, an array and a map entry for each value. The class behaves
 * as before to its callers.
 */
import type * as protobuf from "google-protobuf";
import type * as structs from "google-protobuf/google/protobuf/struct_pb.js";
import { decodeStruct, encodeStruct } from "./struct-codec";

/** Holds a Struct's encoded bytes until its fields are first read. */
const BYTES = Symbol("bytes");

/** With a parameter that its types leave out. */
type LibraryStruct = Omit<structs.Struct, "getFieldsMap"> & { getFieldsMap(this: structs.Struct, noLazyCreate?: boolean): unknown };
type Struct = structs.Struct & { [BYTES]?: Uint8Array | undefined };

/** The bytes from the reader's position to the end of its current message. */
function restOf(reader: protobuf.BinaryReader): Uint8Array {
  const from = reader.getCursor();
  while (reader.nextField() && !reader.isEndGroup()) reader.skipField();
  // The library has it; its types leave it out.
  return (reader as protobuf.BinaryReader & { getBuffer(): Uint8Array }).getBuffer().subarray(from, reader.getCursor());
}

/** From now on the class of this copy of the library is quick. @param library of the same copy */
export function makeStructQuick(type: typeof structs.Struct, library: typeof protobuf): void {
  if (Object.hasOwn(type, BYTES)) return;
  Object.defineProperty(type, BYTES, { value: true });
  const { deserializeBinaryFromReader, serializeBinaryToWriter } = type;
  const { getFieldsMap, toJavaScript } = type.prototype as LibraryStruct;

  /** Decodes a Struct into the library's own fields, which may then be changed. */
  const open = (struct: Struct): void => {
    const bytes = struct[BYTES];
    if (bytes === undefined) return;
    struct[BYTES] = undefined;
    deserializeBinaryFromReader(struct, new library.BinaryReader(bytes));
  };
  Object.assign(type.prototype, {
    // The library's other methods that read or change the fields (toObject, clearFieldsMap) call this one.
    getFieldsMap(this: Struct, noLazyCreate?: boolean) {
      open(this);
      return getFieldsMap.call(this, noLazyCreate);
    },
    toJavaScript(this: Struct) {
      const bytes = this[BYTES];
      return bytes === undefined ? toJavaScript.call(this) : decodeStruct(bytes);
    },
  });
  // The library's own `clone` copies arrays, and these lack what is still encoded.
  const copy = function (this: protobuf.Message): protobuf.Message {
    return (this.constructor as typeof protobuf.Message).deserializeBinary(this.serializeBinary());
  };
  Object.assign(library.Message.prototype, { clone: copy, cloneMessage: copy });
  Object.assign(type, {
    fromJavaScript(map: object) {
      const struct: Struct = new type();
      struct[BYTES] = encodeStruct(map);
      return struct;
    },
    deserializeBinaryFromReader(struct: Struct, reader: protobuf.BinaryReader) {
      // The wire may hold a message in several parts, which are merged.
      open(struct);
      if (getFieldsMap.call(struct, true) !== undefined) return deserializeBinaryFromReader(struct, reader);
      struct[BYTES] = restOf(reader);
      return struct;
    },
    serializeBinaryToWriter(struct: Struct, writer: protobuf.BinaryWriter) {
      const bytes = struct[BYTES];
      if (bytes === undefined) serializeBinaryToWriter(struct, writer);
      else
        (writer as protobuf.BinaryWriter & { writeSerializedMessage(bytes: Uint8Array, from: number, to: number): void }).writeSerializedMessage(
          bytes,
          0,
          bytes.length,
        );
    },
  });
}
