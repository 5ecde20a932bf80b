import * as fc from "fast-check";
import type * as protobuf from "google-protobuf";
import type * as structs from "google-protobuf/google/protobuf/struct_pb.js";
import { makeStructQuick } from "./quick-struct";

/** A copy of the library of its own. */
function loaded(): { library: typeof protobuf; structs: typeof structs } {
  let found: { library: typeof protobuf; structs: typeof structs } | undefined;
  jest.isolateModules(() => {
    found = { library: require("google-protobuf"), structs: require("google-protobuf/google/protobuf/struct_pb.js") };
  });
  if (found === undefined) throw new Error("the library was not loaded");
  return found;
}

const plain = loaded().structs;
const { library, structs: quick } = loaded();
makeStructQuick(quick.Struct, library);
makeStructQuick(quick.Struct, library);

type Plain = structs.JavaScriptValue;
type PlainMap = { [key: string]: Plain };
/** Keys, except `__proto__`, which fast-check likes to try: the library's own objects lose it. Another test covers it. */
const key = fc
  .oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "binary", maxLength: 6 }), fc.constantFrom("length", "constructor", "0", "10", "9"))
  .filter((text) => text !== "__proto__");
const value: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.integer(),
    fc.string({ maxLength: 40 }),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ minLength: 100, maxLength: 20_000, unit: fc.constantFrom("a", "ü", "✓", "🎉") }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;
const map = fc.dictionary(key, value, { maxKeys: 8, noNullPrototype: true });
const holds = (test: (map: PlainMap) => void): void => fc.assert(fc.property(map as fc.Arbitrary<PlainMap>, test));

test("its bytes are the library's, as the library reads them", () => {
  holds((map) => expect(plain.Struct.deserializeBinary(quick.Struct.fromJavaScript(map).serializeBinary()).toJavaScript()).toEqual(map));
});

test("it reads the library's bytes, with the keys in the library's order", () => {
  holds((map) => {
    const bytes = plain.Struct.fromJavaScript(map).serializeBinary();
    const found = quick.Struct.deserializeBinary(bytes).toJavaScript();
    expect(JSON.stringify(found)).toBe(JSON.stringify(plain.Struct.deserializeBinary(bytes).toJavaScript()));
    expect(found).toEqual(map);
  });
});

test("keys that come in another order are put in order, and an empty one and __proto__ are keys as others are", () => {
  const map = JSON.parse('{"z":1,"":2,"__proto__":{"b":1,"a":[{"d":1,"c":2}]},"B":3}') as PlainMap;
  const found = quick.Struct.deserializeBinary(quick.Struct.fromJavaScript(map).serializeBinary()).toJavaScript();
  expect(JSON.stringify(found)).toBe('{"":2,"B":3,"__proto__":{"a":[{"c":2,"d":1}],"b":1},"z":1}');
});

test("who asks for its fields gets the library's own, and what is changed in them counts", () => {
  holds((map) => {
    const read = quick.Struct.deserializeBinary(plain.Struct.fromJavaScript(map).serializeBinary());
    for (const struct of [quick.Struct.fromJavaScript(map), read]) {
      const added = new quick.Value();
      added.setStructValue(quick.Struct.fromJavaScript({ inner: map }));
      struct.getFieldsMap().set("added", added);
      const wanted = { ...map, added: { inner: map } };
      expect(struct.toJavaScript()).toEqual(wanted);
      expect(plain.Struct.deserializeBinary(struct.serializeBinary()).toJavaScript()).toEqual(wanted);
      struct.clearFieldsMap();
      expect(struct.toJavaScript()).toEqual({});
    }
  });
});

test("toObject and copies have what it holds, in a message around it as well", () => {
  const map = { a: 1, b: ["x", { c: null }] };
  const [ours, theirs] = [quick.Struct.fromJavaScript(map), plain.Struct.fromJavaScript(map)];
  expect(ours.toObject()).toEqual(theirs.toObject());
  const around = new quick.Value();
  around.setStructValue(quick.Struct.fromJavaScript(map));
  expect((around.cloneMessage() as structs.Value).toJavaScript()).toEqual(map);
  expect((ours.clone() as structs.Struct).toJavaScript()).toEqual(map);
});

test("a message that comes in two parts is their sum", () => {
  const parts = [{ a: 1 }, { b: 2 }].map((map) => quick.Struct.fromJavaScript(map));
  const writer = new library.BinaryWriter();
  for (const part of parts) quick.Struct.serializeBinaryToWriter(part, writer);
  expect(quick.Struct.deserializeBinary(writer.getResultBuffer()).toJavaScript()).toEqual({ a: 1, b: 2 });
  const both = new quick.Struct();
  for (const part of parts) quick.Struct.deserializeBinaryFromReader(both, new library.BinaryReader(part.serializeBinary()));
  expect(both.toJavaScript()).toEqual({ a: 1, b: 2 });
});

test.each([
  ["undefined", { a: undefined }],
  ["a function", { a: [() => 1] }],
  ["a bigint", { a: { b: 1n } }],
])("%s is refused in the library's words, and spoils nothing after it", (_name, map) => {
  const refusal = (make: typeof structs.Struct): unknown => {
    try {
      return make.fromJavaScript(map as never);
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : thrown;
    }
  };
  expect(refusal(quick.Struct)).toBe(refusal(plain.Struct));
  expect(quick.Struct.fromJavaScript({ a: 1 }).toJavaScript()).toEqual({ a: 1 });
});

test("bytes that end too early are an error", () => {
  const bytes = plain.Struct.fromJavaScript({ text: "a long text, longer than what is read by a loop", list: [1, { deep: "value" }] }).serializeBinary();
  for (let end = 1; end < bytes.length; end++) {
    const read = (): unknown => quick.Struct.deserializeBinary(bytes.slice(0, end)).toJavaScript();
    const libraryRead = (): unknown => plain.Struct.deserializeBinary(bytes.slice(0, end)).toJavaScript();
    let failed = false;
    try {
      libraryRead();
    } catch {
      failed = true;
    }
    if (failed) expect(read).toThrow();
  }
});

test("fields that a newer version may add are passed over", () => {
  const writer = new library.BinaryWriter();
  writer.writeString(15, "new");
  writer.writeFixed32(14, 7);
  writer.writeFixed64(13, 7);
  writer.writeInt64(12, 2 ** 40);
  const unknown = writer.getResultBuffer();
  const bytes = plain.Struct.fromJavaScript({ a: [true] }).serializeBinary();
  expect(quick.Struct.deserializeBinary(new Uint8Array([...unknown, ...bytes, ...unknown])).toJavaScript()).toEqual({ a: [true] });
});
