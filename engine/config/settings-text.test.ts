import fc from "fast-check";
import { stringify } from "yaml";
import { SettingsText } from "./settings-text";
import type { ConfigValue } from "./value-path";

const FILE = `# of the file
config:
  # of the guild
  demo:guild: 1098765432109876543   # Discord
  demo:nested: { channel: 12345678901234567890, mode: 0755 }
  demo:hex:   0xFF
  demo:quoted: '0755'
  demo:long: "a text that goes on for more than eighty characters, which a printer would fold into two lines of its own"
  demo:text: |
    one
     two

  demo:list:
  - 0x10   # sixteen
  -   name: b
      port: 010

  # of the map
  demo:map:
    # of one
    one: 1_000
    two: 1.10
encryptionsalt: v1:abc
`;

const edited = (text: string, path: (string | number)[], value: ConfigValue | undefined): string => {
  const settings = new SettingsText(text, "Pulumi.dev.yaml");
  settings.set(path, value);
  return settings.text;
};

test.each<[string, (string | number)[], ConfigValue | undefined, [from: string, to: string]]>([
  ["a new key", ["config", "demo:new"], "x", ["    two: 1.10\n", "    two: 1.10\n  demo:new: x\n"]],
  ["a value", ["config", "demo:guild"], "7", ["1098765432109876543   #", '"7"   #']],
  ["a value in quotes", ["config", "demo:quoted"], "plain", ["'0755'", "plain"]],
  ["a key of a map in one line", ["config", "demo:nested", "new"], 1, ["mode: 0755 }", 'mode: 0755, "new": 1 }']],
  ["a value of a map in one line", ["config", "demo:nested", "channel"], true, ["12345678901234567890", "true"]],
  [
    "a key of a map",
    ["config", "demo:map", "three"],
    { deep: [1, "05"] },
    ["two: 1.10\n", 'two: 1.10\n    three:\n      deep:\n        - 1\n        - "05"\n'],
  ],
  ["an item of a list", ["config", "demo:list", 0], "0x10", ["0x10   # sixteen", '"0x10"   # sixteen']],
  ["a new item of a list", ["config", "demo:list", 2], "c", ["      port: 010\n", "      port: 010\n  - c\n"]],
  ["a value in an item of a list", ["config", "demo:list", 1, "port"], 9, ["port: 010", "port: 9"]],
  ["a text of lines", ["config", "demo:text"], "three\nfour\n", ["    one\n     two\n", "    three\n    four\n"]],
  ["another key of the file", ["encryptionsalt"], "v1:def", ["v1:abc", "v1:def"]],
  ["a map for a value", ["config", "demo:hex"], { a: "1" }, ["demo:hex:   0xFF", 'demo:hex:\n    a: "1"']],
  ["a value for a map", ["config", "demo:map"], "x", ["demo:map:\n    # of one\n    one: 1_000\n    two: 1.10", "demo:map: x"]],
  ["a key less, with its comment", ["config", "demo:guild"], undefined, ["  # of the guild\n  demo:guild: 1098765432109876543   # Discord\n", ""]],
  ["a key less of a map in one line", ["config", "demo:nested", "channel"], undefined, ["channel: 12345678901234567890, ", ""]],
  ["the last key less of a map in one line", ["config", "demo:nested", "mode"], undefined, [", mode: 0755", ""]],
  ["an item less", ["config", "demo:list"], [{ name: "b", port: 8 }], ["  - 0x10   # sixteen\n", ""]],
])("%s: every other byte stays", (_what, path, value, [from, to]) => {
  for (const text of [FILE, FILE.replaceAll("\n", "\r\n")]) {
    const [a, b] = text === FILE ? [from, to] : [from.replaceAll("\n", "\r\n"), to.replaceAll("\n", "\r\n")];
    expect(text).toContain(a);
    expect(edited(text, path, value)).toBe(text.replace(a, b));
  }
});

test.each<[string, string, string]>([
  ["", "", "config:\n  demo:a: x\n"],
  ["comments only", "# mine\n", "# mine\nconfig:\n  demo:a: x\n"],
  ["no newline at the end", "config:\n  demo:b: 1", "config:\n  demo:b: 1\n  demo:a: x\n"],
  ["an empty map", "config: {}\n", "config:\n  demo:a: x\n"],
  ["a null", "config:\nencryptionsalt: s\n", "config:\n  demo:a: x\nencryptionsalt: s\n"],
  ["JSON", '{\n  "config": {\n    "demo:b": 0.10\n  }\n}\n', '{\n  "config": {\n    "demo:b": 0.10,\n    "demo:a": "x"\n  }\n}\n'],
  ["an empty file of JSON", "{}", '{ "config": {"demo:a":"x"} }'],
  ["an empty map in a line", "x: { config: {} }\nconfig: {} # none\n", "x: { config: {} }\nconfig:\n  demo:a: x # none\n"],
])("a first key, with %s", (_what, before, after) => {
  expect(edited(before, ["config", "demo:a"], "x")).toBe(after);
});

test("the last key takes `config` with it, and comments stay", () => {
  expect(edited("# mine\nconfig:\n  a: 1\nsalt: s\n", ["config"], undefined)).toBe("# mine\nsalt: s\n");
  expect(edited("# mine\nconfig:\n  a: 1\n", ["config"], undefined)).toBe("# mine\n");
});

test("an anchor keeps its value for its aliases", () => {
  const settings = new SettingsText("config:\n  a: &x 0755\n  b: *x\n  c: { <<: &m { k: 1 }, l: 2 }\n", "f");
  expect(settings.value).toEqual({ config: { a: 493, b: 493, c: { k: 1, l: 2 } } });
  settings.set(["config", "b"], "y");
  expect(settings.text).toBe("config:\n  a: &x 0755\n  b: y\n  c: { <<: &m { k: 1 }, l: 2 }\n");
});

const leaf: fc.Arbitrary<ConfigValue> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("0755", "yes", "null", "~", "- a", "a: b", "a\nb\n", "a\n\nb", " x", "x ", "#c", "2024-01-02", "1e3", "*a", "[1", "0x1", ""),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((value) => !Number.isSafeInteger(Number(value))),
  fc.boolean(),
  fc.constant(null),
);
const key = fc.constantFrom("a", "b", "c", "d:e", "0755", "on e", "#h", "null");
const tree = fc.letrec<{ value: ConfigValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const map = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true });

test("whatever was there and whatever is set, the file then has it, and nothing else is another", () => {
  fc.assert(
    fc.property(map, fc.array(fc.tuple(key, fc.option(tree, { nil: undefined })), { minLength: 1, maxLength: 4 }), fc.boolean(), (before, edits, flow) => {
      const text = flow
        ? stringify({ config: before }, { collectionStyle: "flow", version: "1.1" })
        : stringify({ config: before }, { version: "1.1", defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE" });
      const settings = new SettingsText(text, "f");
      const wanted = structuredClone((settings.value as { config: Record<string, ConfigValue> }).config);
      for (const [name, value] of edits) {
        if (value === undefined && Object.keys(wanted).length <= 1) continue;
        settings.set(["config", name], value);
        if (value === undefined) delete wanted[name];
        else wanted[name] = value;
      }
      expect(new SettingsText(settings.text, "f").value).toEqual({ config: wanted });
    }),
    { numRuns: 500 },
  );
});
