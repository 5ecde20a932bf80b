import { exactJson, parseExactJson } from "../wire/exact-json";
import { NotFinite, plainScalar } from "./plain-scalar";

// Recorded: `pulumi config get` of the CLI 3.260, for a value without quotes in Pulumi.dev.yaml.
test.each([
  ["1098765432109876543", "1098765432109876543"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["12345678901234567890", "12345678901234567890"],
  ["123456789012345678901234567890", "1.2345678901234568e+29"],
  ["012345678912", "12345678912"],
  ["0755", "493"],
  ["0o755", "493"],
  ["0o9", "0o9"],
  ["0xFF", "255"],
  ["-0xF", "-15"],
  ["+0xF", "15"],
  ["0b101", "5"],
  ["1_000", "1000"],
  ["1_0.5", "10.5"],
  ["1.10", "1.1"],
  ["1.20.3", "1.20.3"],
  ["1e3", "1000"],
  ["1.5e300", "1.5e+300"],
  ["1e-7", "1e-7"],
  ["1e-400", "0"],
  ["1e400", "1e400"],
  ["-1E+999", "-1E+999"],
  ["1_0e400", "1_0e400"],
  [".5", "0.5"],
  ["5.", "5"],
  ["+5", "5"],
  ["-0", "0"],
  ["yes", "yes"],
  ["True", "true"],
  ["1:30", "1:30"],
  ["2024-01-02", "2024-01-02 00:00:00 +0000 UTC"],
  ["2024-1-2", "2024-01-02 00:00:00 +0000 UTC"],
  ["2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"],
  ["2024-02-31", "2024-02-31"],
])("%s is read as %s", (text, read) => {
  expect(String(plainScalar(text))).toBe(read);
});

test("more digits than a double can hold are text", () => {
  expect(plainScalar("9".repeat(400))).toBe("9".repeat(400));
});

test.each(["", "~", "null", "NULL"])("%j is null", (text) => {
  expect(plainScalar(text)).toBeNull();
});

test.each([".inf", "-.Inf", ".nan"])("%s is no value", (text) => {
  expect(() => plainScalar(text)).toThrow(NotFinite);
});

test("JSON keeps the digits of its integers, and leaves what only looks like one", () => {
  const text = '{"a":1098765432109876543,"b":[-12345678901234567890,1.5,1e3],"c":"1098765432109876543","d\\"1098765432109876543":7}';
  expect(exactJson(parseExactJson(text))).toBe(text.replace("1e3", "1000"));
  expect(exactJson(JSON.parse('{"a":1}'), 2)).toBe('{\n  "a": 1\n}');
});
