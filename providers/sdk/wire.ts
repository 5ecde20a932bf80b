/** Property values to and from google.protobuf.Struct (engine-contract, section D). */
import * as protobuf from "google-protobuf";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { makeStructQuick } from "../../common/quick-struct";
import { SIGNATURE, SIGNATURE_KEY, UNKNOWN as UNKNOWN_SENTINEL, UNKNOWNS } from "../../common/signatures";
import { isValues, Secret, UNKNOWN, Unknown, type Value, type Values } from "./values";

makeStructQuick(Struct, protobuf);

/** One value of the wire's JSON form. */
export function decodeValue(raw: unknown): Value {
  if (raw === null || typeof raw === "boolean" || typeof raw === "number") return raw;
  if (typeof raw === "string") return UNKNOWNS.has(raw) ? UNKNOWN : raw;
  if (Array.isArray(raw)) return raw.map(decodeValue);
  if (typeof raw !== "object") throw new Error(`a property value of type ${typeof raw} has no meaning`);
  const map = raw as Record<string, unknown>;
  if (map[SIGNATURE_KEY] === SIGNATURE.secret) return new Secret(decodeValue(map["value"] ?? null));
  if (map[SIGNATURE_KEY] === SIGNATURE.output) {
    const inner = "value" in map ? decodeValue(map["value"]) : UNKNOWN;
    return map["secret"] === true ? new Secret(inner) : inner;
  }
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, decodeValue(value)]));
}

export function encodeValue(value: Value): unknown {
  if (value instanceof Unknown) return UNKNOWN_SENTINEL;
  if (value instanceof Secret) return { [SIGNATURE_KEY]: SIGNATURE.secret, value: encodeValue(value.value) };
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
