import fc from "fast-check";
import { SIGNATURE_KEY, UNKNOWN as UNKNOWN_MARK } from "../../common/signatures";
import { Secret, sameValue, toJsonObject, UNKNOWN, type Value } from "./values";
import { decodeValue, encodeValue, fromStruct, toStruct } from "./wire";

const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string(),
    fc.constant(UNKNOWN),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 3 },
    ),
    tie("value").map((value) => (value instanceof Secret ? value : new Secret(value))),
  ),
})).value;

test("a value comes back from the wire as it went", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((key) => key !== "__proto__"),
        values,
      ),
      (map) => {
        expect(fromStruct(toStruct(map))).toEqual(map);
      },
    ),
    { numRuns: 200 },
  );
});

test("every sentinel is unknown, and one is written", () => {
  expect(decodeValue("dd056dcd-154b-4c76-9bd3-c8f88648b5ff")).toBe(UNKNOWN);
  expect(encodeValue([UNKNOWN])).toEqual([UNKNOWN_MARK]);
});

test("output values are flattened: known, unknown and secret ones", () => {
  const output = (rest: object) => decodeValue({ [SIGNATURE_KEY]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...rest });
  expect(output({ value: 1, dependencies: ["urn"] })).toBe(1);
  expect(output({})).toBe(UNKNOWN);
  expect(output({ value: "s", secret: true })).toEqual(new Secret("s"));
});

test("an unknown value never becomes JSON, and equals nothing", () => {
  expect(() => toJsonObject({ a: [UNKNOWN] })).toThrow("not known yet");
  expect(() => JSON.stringify({ a: UNKNOWN })).toThrow("not known yet");
  expect(sameValue(UNKNOWN, UNKNOWN)).toBe(false);
});
