/** Property values to and from google.protobuf.Struct (engine-contract, section D). */
import * as protobuf from "google-protobuf";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { makeStructQuick } from "../../common/quick-struct";
import { isValues, Secret, UNKNOWN, Unknown, type Value, type Values } from "./values";

makeStructQuick(Struct, protobuf);

export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** The sentinel that we write; all of them are read. */
export const UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SENTINELS = new Set([
  UNKNOWN_SENTINEL,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** One value of the wire's JSON form. */
export function decodeValue(raw: unknown): Value {
  if (raw === null || typeof raw === "boolean" || typeof raw === "number") return raw;
  if (typeof raw === "string") return SENTINELS.has(raw) ? UNKNOWN : raw;
  if (Array.isArray(raw)) return raw.map(decodeValue);
  if (typeof raw !== "object") throw new Error(`a property value of type ${typeof raw} has no meaning`);
  const map = raw as Record<string, unknown>;
  if (map[SIGNATURE_KEY] === SECRET) return new Secret(decodeValue(map["value"] ?? null));
  if (map[SIGNATURE_KEY] === OUTPUT) {
    const inner = "value" in map ? decodeValue(map["value"]) : UNKNOWN;
    return map["secret"] === true ? new Secret(inner) : inner;
  }
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, decodeValue(value)]));
}

export function encodeValue(value: Value): unknown {
  if (value instanceof Unknown) return UNKNOWN_SENTINEL;
  if (value instanceof Secret) return { [SIGNATURE_KEY]: SECRET, value: encodeValue(value.value) };
  if (Array.isArray(value)) return value.map(encodeValue);
  if (!isValues(value)) return value;
  // Definitions may leave a property undefined (`exactOptionalPropertyTypes` does not reach computed keys): it is left out.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, encodeValue(item)]),
  );
}

/** A message's field as values; an absent one is empty. */
export function fromStruct(struct: Struct | undefined): Values {
  const decoded = decodeValue(struct?.toJavaScript() ?? {});
  return isValues(decoded) ? decoded : {};
}

export function toStruct(values: Values): Struct {
  return Struct.fromJavaScript(encodeValue(values) as Parameters<typeof Struct.fromJavaScript>[0]);
}
