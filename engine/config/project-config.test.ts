import { type Declaration, readDeclarations, requireDeclared, withProjectValues } from "./project-config";
import type { ConfigValue } from "./value-path";

const declared = (config: Record<string, ConfigValue>): Declaration[] => readDeclarations("app", config);
const values = (config: Record<string, ConfigValue>, stack: Record<string, ConfigValue> = {}) => withProjectValues("app", declared(config), stack);

test.each<[string, Record<string, ConfigValue>, Record<string, ConfigValue>, Record<string, ConfigValue>]>([
  ["scalars become text", { size: 3, on: true, "aws:region": "x" }, {}, { "app:size": "3", "app:on": "true", "aws:region": "x" }],
  ["lists and maps stay what they are", { z: ["a", 1], all: { type: "object", default: { x: 1 } } }, {}, { "app:z": ["a", 1], "app:all": { x: 1 } }],
  ["what the stack has goes before", { size: 3 }, { "app:size": 4 }, { "app:size": 4 }],
  ["also where that is empty", { size: 3 }, { "app:size": "" }, { "app:size": "" }],
  ["a name is a path", { "tags.owner": "me" }, { "app:tags": { team: "us" } }, { "app:tags": { team: "us", owner: "me" } }],
  ["what has no value stays away", { size: { type: "integer" } }, {}, {}],
])("%s", (_what, config, stack, expected) => {
  expect(values(config, stack)).toEqual(expected);
});

const SECRET = { secure: "cipher" };
const check = (config: Record<string, ConfigValue>, stack: Record<string, ConfigValue>, plain = "text"): string => {
  try {
    requireDeclared({ project: "app", stack: "dev", declarations: declared(config) }, values(config, stack), () => plain);
    return "";
  } catch (thrown) {
    return String(thrown instanceof Error ? thrown.message : thrown).replace("validating stack config: Stack 'dev' ", "");
  }
};
const key = (text: string): string => `with configuration key '${text}' must be`;

test.each<[Record<string, ConfigValue>, Record<string, ConfigValue>, string, string?]>([
  [{ size: { type: "integer" } }, {}, "is missing configuration value 'size'"],
  [{ b: {}, a: { type: "string" } }, {}, "is missing configuration values 'a' and 'b'"],
  [{ c: {}, b: {}, a: {} }, {}, "is missing configuration values 'a', 'b' and 'c'"],
  [{ "app:size": { type: "integer" } }, {}, "is missing configuration value 'app:size'"],
  [{ size: { type: "integer", default: 1 } }, {}, ""],
  [{ size: { type: "integer" } }, { "app:size": "12" }, ""],
  [{ size: { type: "integer" } }, { "app:size": 12 }, ""],
  [{ size: { type: "integer" } }, { "app:size": 1.5 }, `${key("size")} of type 'integer'`],
  [{ size: { type: "integer" } }, { "app:size": "big" }, `${key("size")} of type 'integer'`],
  [{ size: { type: "integer" } }, { "app:size": SECRET }, "", "12"],
  [{ size: { type: "integer" } }, { "app:size": SECRET }, `${key("size")} of type 'integer'`, "twelve"],
  [{ on: { type: "boolean" } }, { "app:on": true }, ""],
  [{ on: { type: "boolean" } }, { "app:on": "yes" }, `${key("on")} of type 'boolean'`],
  [{ name: { type: "string" } }, { "app:name": 7 }, ""],
  [{ name: { type: "string" } }, { "app:name": ["a"] }, `${key("name")} of type 'string'`],
  [{ all: { type: "object" } }, { "app:all": { x: SECRET } }, ""],
  [{ all: { type: "object" } }, { "app:all": "{}" }, `${key("all")} of type 'object'`],
  [{ z: { type: "array", items: { type: "string" } } }, { "app:z": ["a", "b"] }, ""],
  [{ z: { type: "array", items: { type: "string" } } }, { "app:z": ["a", 1] }, `${key("z")} of type 'array<string>'`],
  [{ z: { type: "array", items: { type: "integer" } } }, { "app:z": [1, "2"] }, ""],
  [{ z: { type: "array", items: { type: "array", items: { type: "boolean" } } } }, { "app:z": [[true], ["x"]] }, `${key("z")} of type 'array<array<boolean>>'`],
  [{ token: { type: "string", secret: true } }, { "app:token": "plain" }, `${key("token")} encrypted as it's secret`],
  [{ token: { type: "string", secret: true } }, { "app:token": SECRET }, ""],
  [{ token: { secret: true } }, { "app:token": "plain" }, ""],
])("%p and a stack with %p: %s", (config, stack, message, plain = "text") => {
  expect(check(config, stack, plain)).toBe(message);
});

// Not a row of the table: a title cannot be made of it.
test("an integer of any length is an integer", () => {
  expect(check({ size: { type: "integer" } }, { "app:size": 12345678901234567890n })).toBe("");
});
