/** What the rules of a custom resource definition refuse, with the server's messages. */
import { type Body, eventually, isServed, type KubernetesUnderTest, MERGE } from "./under-test";

interface Validation {
  rule: string;
  message?: string;
  messageExpression?: string;
  fieldPath?: string;
  reason?: string;
}

const ruled = (type: object, ...rules: Validation[]) => ({ ...type, "x-kubernetes-validations": rules });
const string = { type: "string", maxLength: 200 };
/** Short, since the server refuses a rule that may cost too much. */
const word = { type: "string", maxLength: 10 };
const integer = { type: "integer" };
const flag = { type: "boolean" };
const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const strings = { type: "array", maxItems: 10, items: string };

const PROPERTIES = {
  own: ruled(integer, { rule: "self > 0", message: " must be more than none " }),
  nameless: ruled(string, { rule: "self.startsWith('/')" }),
  either: ruled(object({ a: string, b: string }), { rule: "(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0) <= 1", message: "one of both" }),
  keys: ruled(
    { type: "object", maxProperties: 10, additionalProperties: ruled(string, { rule: "self != ''", message: "some text" }) },
    {
      rule: "self.all(key, !key.contains('*'))",
      message: "no star",
    },
  ),
  list: {
    type: "array",
    maxItems: 10,
    items: ruled(object({ port: integer, host: string }), { rule: "has(self.port) || has(self.host)", message: "a port or a host" }),
  },
  unique: ruled(
    { type: "array", maxItems: 10, items: object({ name: string }) },
    {
      rule: "self.all(a, self.exists_one(b, a.name == b.name))",
      message: "each name once",
    },
  ),
  range: ruled(object({ least: integer, most: integer }), { rule: "self.least <= self.most", message: "wrong range" }),
  expressed: ruled(object({ text: word }), { rule: "self.text == 'a'", messageExpression: "'it is ' + self.text + ' '", message: "no a" }),
  notExpressed: ruled(object({ text: word }), { rule: "self.text == 'a'", messageExpression: "self.text + '\\n'", message: "no a" }),
  placed: ruled(object({ inner: object({ deep: integer }) }), {
    rule: "self.inner.deep < 3",
    fieldPath: ".inner.deep",
    message: "too deep",
    reason: "FieldValueForbidden",
  }),
  needed: ruled(object({ on: flag, secret: string }), {
    rule: "!self.on || has(self.secret)",
    fieldPath: ".secret",
    message: "needed when on",
    reason: "FieldValueRequired",
  }),
  double: ruled(strings, { rule: "self.all(a, self.exists_one(b, a == b))", reason: "FieldValueDuplicate" }),
  wait: ruled({ ...string, format: "duration" }, { rule: "self >= duration('1s') && self <= duration('1h')", message: "1s to 1h" }),
  wholeSeconds: ruled(string, { rule: "duration(self).getMilliseconds() % 1000 == 0", message: "whole seconds" }),
  since: ruled({ ...string, format: "date-time" }, { rule: "self > timestamp('2020-01-01T00:00:00Z')", message: "after 2019" }),
  address: ruled(string, { rule: "isURL(self) && url(self).getScheme() in ['http', 'https']", message: "an address" }),
  pattern: ruled(string, { rule: "self.matches('(?i)^[a-z]+$')", message: "letters" }),
  part: ruled(string, { rule: "self.substring(0, 2) == 'a:'", message: "starts with a:" }),
  number: ruled({ "x-kubernetes-int-or-string": true }, { rule: "type(self) == int ? self < 10 : self.endsWith('%')", message: "below 10, or a share" }),
  share: ruled({ type: "number" }, { rule: "self < 0.5", message: "less than half" }),
  fixed: ruled(string, { rule: "self == oldSelf", message: "is immutable" }),
  grows: ruled(object({ size: integer }), { rule: "self.size >= oldSelf.size", message: "never shrinks" }),
  named: {
    type: "array",
    maxItems: 10,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    items: ruled(object({ name: string, value: string }, { required: ["name"] }), { rule: "self.value == oldSelf.value", message: "a value stays" }),
  },
  reserved: ruled(object({ namespace: string, "with-dash": string }), { rule: "self.__namespace__ != self.with__dash__dash", message: "both differ" }),
  defaulted: ruled({ ...integer, default: 5 }, { rule: "self != 6", message: "not 6" }),
  short: { type: "string", maxLength: 3 },
  size: { type: "string", enum: ["small"] },
  metric: ruled(object({ value: integer }), { rule: "self.value != 7" }, { rule: "self.value != 7", message: "seven" }),
  former: ruled(integer, { rule: "self < 100", message: "below 100" }),
};

const definition = (properties: object) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "rules.test.example.org" },
  spec: {
    group: "test.example.org",
    names: { kind: "Rule", listKind: "RuleList", plural: "rules", singular: "rule" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: ruled(object({ spec: object(properties) }), { rule: "!self.metadata.name.startsWith('x-')", message: "no such name" }),
        },
      },
    ],
  },
});
const RULES = "/apis/test.example.org/v1/namespaces/default/rules";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A spec, and the message with which the API refuses it; undefined where it takes it. */
const NEW: readonly (readonly [spec: object, message?: string])[] = [
  [{ own: 0 }, 'spec.own: Invalid value: "integer": must be more than none'],
  [{ own: 1 }],
  [{ nameless: "x" }, "spec.nameless: Invalid value: \"string\": failed rule: self.startsWith('/')"],
  [{ either: { a: "1", b: "2" } }, 'spec.either: Invalid value: "object": one of both'],
  [{ either: {} }],
  [{ keys: { "*": "x" } }, 'spec.keys: Invalid value: "object": no star'],
  [{ keys: { a: "" } }, 'spec.keys[a]: Invalid value: "string": some text'],
  [{ list: [{ port: 1 }, {}] }, 'spec.list[1]: Invalid value: "object": a port or a host'],
  [{ unique: [{ name: "a" }, { name: "a" }] }, 'spec.unique: Invalid value: "array": each name once'],
  [{ unique: [{ name: "a" }, { name: "b" }] }],
  [{ range: { least: 3, most: 2 } }, 'spec.range: Invalid value: "object": wrong range'],
  [{ range: { least: 3 } }, 'spec.range: Invalid value: "object": no such key: most evaluating rule: wrong range'],
  [{ expressed: { text: "b" } }, 'spec.expressed: Invalid value: "object": it is b'],
  [{ notExpressed: { text: "b" } }, 'spec.notExpressed: Invalid value: "object": b'],
  [{ placed: { inner: { deep: 3 } } }, "spec.placed.inner.deep: Forbidden: too deep"],
  [{ needed: { on: true } }, "spec.needed.secret: Required value: needed when on"],
  [{ needed: { on: true, secret: "x" } }],
  [{ double: ["a", "a"] }, 'spec.double: Duplicate value: "array"'],
  [{ wait: "500ms" }, 'spec.wait: Invalid value: "string": 1s to 1h'],
  [{ wait: "30m" }],
  [{ wait: "2h" }, 'spec.wait: Invalid value: "string": 1s to 1h'],
  [{ wholeSeconds: "1500ms" }, 'spec.wholeSeconds: Invalid value: "string": whole seconds'],
  [{ wholeSeconds: "90s" }],
  [{ since: "2019-12-31T23:59:59Z" }, 'spec.since: Invalid value: "string": after 2019'],
  [{ since: "2026-01-02T03:04:05Z" }],
  [{ address: "ftp://example.org" }, 'spec.address: Invalid value: "string": an address'],
  [{ address: "example.org" }, 'spec.address: Invalid value: "string": an address'],
  [{ address: "https://example.org:8443/a?b=c" }],
  [{ address: "https://example.org:port/" }, 'spec.address: Invalid value: "string": an address'],
  [{ address: "https://exa mple.org" }, 'spec.address: Invalid value: "string": an address'],
  [{ address: "HTTP://example.org" }],
  [{ address: "http://[fd00::1]:80/" }],
  [{ address: "http://a@b@c/" }],
  [{ address: "http:example" }],
  [{ address: "http://example.org/%zz" }, 'spec.address: Invalid value: "string": an address'],
  [{ address: "" }, 'spec.address: Invalid value: "string": an address'],
  [{ pattern: "a1" }, 'spec.pattern: Invalid value: "string": letters'],
  [{ pattern: "aB" }],
  [{ part: "ab" }, 'spec.part: Invalid value: "string": starts with a:'],
  [{ part: "a:b" }],
  [{ number: 10 }, 'spec.number: Invalid value: "": below 10, or a share'],
  [{ number: "50%" }],
  [{ share: 0.5 }, 'spec.share: Invalid value: "number": less than half'],
  [{ share: 0 }],
  [{ reserved: { namespace: "a", "with-dash": "a" } }, 'spec.reserved: Invalid value: "object": both differ'],
  [{ reserved: { namespace: "a", "with-dash": "b" } }],
  [{ defaulted: 6 }, 'spec.defaulted: Invalid value: "integer": not 6'],
  [{ fixed: "new" }],
  [{ metric: { value: 7 } }, '[spec.metric: Invalid value: "object": failed rule: self.value != 7, spec.metric: Invalid value: "object": seven]'],
  [
    { short: "four", own: 0 },
    "[spec.short: Too long: may not be more than 3 bytes, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]",
  ],
  [
    { size: "large", own: 0 },
    '[spec.size: Unsupported value: "large": supported values: "small", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
  ],
];

/** What is stored, a merge patch of it, and the message with which the API refuses that. */
const CHANGED: readonly (readonly [spec: object, patch: object, message?: string])[] = [
  [{ fixed: "a" }, { fixed: "b" }, 'spec.fixed: Invalid value: "string": is immutable'],
  [{ fixed: "a" }, { fixed: null }],
  [{}, { fixed: "b" }],
  [{ grows: { size: 2 } }, { grows: { size: 1 } }, 'spec.grows: Invalid value: "object": never shrinks'],
  [{ grows: { size: 2 } }, { grows: { size: 3 } }],
  [
    { named: [{ name: "a", value: "1" }] },
    {
      named: [
        { name: "b", value: "2" },
        { name: "a", value: "1" },
      ],
    },
  ],
  [
    { named: [{ name: "a", value: "1" }] },
    {
      named: [
        { name: "b", value: "2" },
        { name: "a", value: "2" },
      ],
    },
    'spec.named[1]: Invalid value: "object": a value stays',
  ],
];

export function customRulesSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  beforeAll(async () => {
    api = await start();
    await api.call("POST", DEFINITIONS, definition({ ...PROPERTIES, former: integer }));
    await isServed(api, RULES);
  });
  afterAll(() => api.stop());

  const make = (spec: object, name = "rule"): Promise<Body> =>
    api.call("POST", RULES, { apiVersion: "test.example.org/v1", kind: "Rule", metadata: { name }, spec });
  const refused = (verb: string, message: string): string => `${verb}: 422 Rule.test.example.org "rule" is invalid: ${message}`;

  for (const [spec, message] of NEW)
    test(`new: ${JSON.stringify(spec)}`, async () => {
      if (message !== undefined) return expect(make(spec)).rejects.toThrow(refused(`POST ${RULES}`, message));
      await make(spec);
      return api.call("DELETE", `${RULES}/rule`);
    });

  for (const [spec, patch, message] of CHANGED)
    test(`${JSON.stringify(spec)}, then ${JSON.stringify(patch)}`, async () => {
      await make(spec);
      const changed = api.call("PATCH", `${RULES}/rule`, { spec: patch }, { type: MERGE });
      try {
        if (message === undefined) await changed;
        else await expect(changed).rejects.toThrow(refused(`PATCH ${RULES}/rule`, message));
      } finally {
        await api.call("DELETE", `${RULES}/rule`);
      }
    });

  test("a rule on the object sees its name", async () => {
    await expect(make({}, "x-1")).rejects.toThrow('"x-1" is invalid: <nil>: Invalid value: "object": no such name');
  });

  test("a rule that came later is no error where nothing of the value changes", async () => {
    await make({ former: 200 });
    await api.call("PATCH", `${DEFINITIONS}/rules.test.example.org`, definition(PROPERTIES), { type: MERGE });
    // The new schema is served a moment after it is stored.
    await eventually(async () => {
      await expect(make({ former: 200 }, "other")).rejects.toThrow("below 100");
    });
    await api.call("PATCH", `${RULES}/rule`, { metadata: { labels: { a: "b" } } }, { type: MERGE });
    await api.call("PATCH", `${RULES}/rule`, { spec: { own: 1 } }, { type: MERGE });
    await expect(api.call("PATCH", `${RULES}/rule`, { spec: { former: 201 } }, { type: MERGE })).rejects.toThrow(
      refused(`PATCH ${RULES}/rule`, 'spec.former: Invalid value: "integer": below 100'),
    );
  });
}
