import fc from "fast-check";
import { compactJson } from "./compact-json";

test("what JSON.stringify wrote is read as JSON reads it", () => {
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())), (value) => {
      const text = JSON.stringify(value);
      expect(compactJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test.each(['{"a":1,"a":2}', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', "{a: 1}", '{"a": 1}', "[1, 2]", "", "kind: Pod", '"text"', "3", '{"a":1'])(
  "%s is left to a YAML parser",
  (text) => {
    expect(compactJson(text)).toBeUndefined();
  },
);
