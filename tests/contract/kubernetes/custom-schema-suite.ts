/** What the schema of a custom resource definition refuses, with the server's messages, and which defaults it fills in. */
import { APPLY, type Body, isServed, type KubernetesUnderTest } from "./under-test";

const string = (more: object) => ({ type: "string", ...more });
const integer = (more: object) => ({ type: "integer", ...more });

const PROPERTIES = {
  pattern: string({ pattern: "^[a-z]+$" }),
  goPattern: string({ pattern: "(?i)^[a-z]+\\z" }),
  short: string({ maxLength: 3 }),
  long: string({ minLength: 2 }),
  moment: string({ format: "date-time" }),
  address: string({ format: "ipv4" }),
  network: string({ format: "cidr" }),
  wait: string({ format: "duration" }),
  bytes: string({ format: "byte" }),
  anyFormat: string({ format: "semver" }),
  size: string({ enum: ["small", "large"] }),
  most: integer({ maximum: 5 }),
  least: integer({ minimum: 2 }),
  below: { type: "number", maximum: 5, exclusiveMaximum: true },
  above: { type: "number", minimum: 2, exclusiveMinimum: true },
  even: integer({ multipleOf: 2 }),
  few: { type: "array", maxItems: 1, items: string({}) },
  some: { type: "array", minItems: 1, items: string({}) },
  set: { type: "array", "x-kubernetes-list-type": "set", items: string({}) },
  byName: {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    items: { type: "object", required: ["name"], properties: { name: string({}), port: integer({ default: 80 }) } },
  },
  labels: { type: "object", maxProperties: 1, additionalProperties: string({ maxLength: 3 }) },
  tags: { type: "object", minProperties: 1, additionalProperties: string({}) },
  either: {
    type: "object",
    properties: { a: string({}), b: string({}) },
    oneOf: [{ required: ["a"] }, { required: ["b"] }],
  },
  any: {
    type: "object",
    properties: { a: string({}), b: string({}) },
    anyOf: [{ required: ["a"] }, { required: ["b"] }],
  },
  both: string({ allOf: [{ minLength: 2 }, { pattern: "^x" }] }),
  not: string({ not: { enum: ["root"] } }),
  port: { "x-kubernetes-int-or-string": true },
  flag: { type: "boolean" },
  maybe: string({ nullable: true }),
  never: string({}),
  preset: string({ default: "given" }),
  anything: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  partly: {
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    properties: { known: { type: "object", properties: { a: string({}) } } },
  },
  bare: { type: "object" },
  template: {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    properties: { spec: { type: "object", properties: { a: string({}) } } },
  },
  rows: { type: "object", additionalProperties: { type: "object", properties: { a: string({}) } } },
  inner: {
    type: "object",
    required: ["metric"],
    properties: {
      metric: integer({ default: 100 }),
      list: { type: "array", items: { type: "object", properties: { on: { type: "boolean", default: true } } } },
    },
  },
};

const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.test.example.org" },
  spec: {
    group: "test.example.org",
    names: { kind: "Thing", listKind: "ThingList", plural: "things", singular: "thing" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: PROPERTIES } } } },
      },
    ],
  },
};
const THINGS = "/apis/test.example.org/v1/namespaces/default/things";

/** A spec, and what the API stores of it (without `preset`) or the message with which it refuses it. */
const CASES: readonly (readonly [object, object | string])[] = [
  [{ pattern: "UP" }, "spec.pattern: Invalid value: \"UP\": spec.pattern in body should match '^[a-z]+$'"],
  [{ goPattern: "UP" }, { goPattern: "UP" }],
  [{ goPattern: "1" }, `spec.goPattern: Invalid value: "1": spec.goPattern in body should match '(?i)^[a-z]+\\z'`],
  [{ short: "four" }, "spec.short: Too long: may not be more than 3 bytes"],
  [{ short: "äöü" }, { short: "äöü" }],
  [{ long: "x" }, 'spec.long: Invalid value: "x": spec.long in body should be at least 2 chars long'],
  [{ moment: "yesterday" }, 'spec.moment: Invalid value: "yesterday": spec.moment in body must be of type date-time: "yesterday"'],
  [{ moment: "2026-01-02T03:04:05Z" }, { moment: "2026-01-02T03:04:05Z" }],
  [{ address: "10.0.0.300" }, 'spec.address: Invalid value: "10.0.0.300": spec.address in body must be of type ipv4: "10.0.0.300"'],
  [{ address: "10.0.0.3" }, { address: "10.0.0.3" }],
  [{ network: "10.0.0.0" }, 'spec.network: Invalid value: "10.0.0.0": spec.network in body must be of type cidr: "10.0.0.0"'],
  [{ network: "10.0.0.0/8" }, { network: "10.0.0.0/8" }],
  [{ network: "fd00::/8" }, { network: "fd00::/8" }],
  [{ wait: "soon" }, 'spec.wait: Invalid value: "soon": spec.wait in body must be of type duration: "soon"'],
  [{ wait: "1h30m" }, { wait: "1h30m" }],
  [{ wait: "90s" }, { wait: "90s" }],
  [{ bytes: "?" }, 'spec.bytes: Invalid value: "?": spec.bytes in body must be of type byte: "?"'],
  [{ bytes: "YQ==" }, { bytes: "YQ==" }],
  [{ anyFormat: "what" }, { anyFormat: "what" }],
  [{ size: "medium" }, 'spec.size: Unsupported value: "medium": supported values: "small", "large"'],
  [{ most: 6 }, "spec.most: Invalid value: 6: spec.most in body should be less than or equal to 5"],
  [{ least: 1 }, "spec.least: Invalid value: 1: spec.least in body should be greater than or equal to 2"],
  [{ below: 5 }, "spec.below: Invalid value: 5: spec.below in body should be less than 5"],
  [{ above: 2 }, "spec.above: Invalid value: 2: spec.above in body should be greater than 2"],
  [{ above: 2.5 }, { above: 2.5 }],
  [{ even: 3 }, "spec.even: Invalid value: 3: spec.even in body should be a multiple of 2"],
  [{ few: ["a", "b"] }, "spec.few: Too many: 2: must have at most 1 item"],
  [{ some: [] }, "spec.some: Invalid value: 0: spec.some in body should have at least 1 items"],
  [{ set: ["a", "a"] }, 'spec.set[1]: Duplicate value: "a"'],
  [{ byName: [{ name: "a" }, { name: "a", port: 81 }] }, 'spec.byName[1]: Duplicate value: {"name":"a"}'],
  [
    { byName: [{ name: "a" }, { name: "b", port: 81 }] },
    {
      byName: [
        { name: "a", port: 80 },
        { name: "b", port: 81 },
      ],
    },
  ],
  [{ byName: [{ port: 1 }] }, "spec.byName[0].name: Required value"],
  [{ labels: { a: "1", b: "2" } }, "spec.labels: Too many: 2: must have at most 1 item"],
  [{ labels: { a: "long" } }, "spec.labels.a: Too long: may not be more than 3 bytes"],
  [{ tags: {} }, "spec.tags: Invalid value: 0: spec.tags in body should have at least 1 properties"],
  [{ either: {} }, '[<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid, spec.either.a: Required value]'],
  [{ either: { a: "1", b: "2" } }, '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  [{ either: { a: "1" } }, { either: { a: "1" } }],
  [{ any: {} }, '[<nil>: Invalid value: "": "spec.any" must validate at least one schema (anyOf), spec.any.a: Required value]'],
  [
    { both: "y" },
    '[spec.both: Invalid value: "y": spec.both in body should be at least 2 chars long, spec.both: Invalid value: "y": spec.both in body should match \'^x\', <nil>: Invalid value: "": "spec.both" must validate all the schemas (allOf). None validated]',
  ],
  [{ both: "xy" }, { both: "xy" }],
  [{ not: "root" }, '<nil>: Invalid value: "": "spec.not" must not validate the schema (not)'],
  [{ port: "http" }, { port: "http" }],
  [{ port: 80 }, { port: 80 }],
  [{ port: true }, 'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
  [{ flag: "yes" }, 'spec.flag: Invalid value: "string": spec.flag in body must be of type boolean: "string"'],
  [{ maybe: null }, { maybe: null }],
  [{ never: null }, {}],
  [{ preset: null }, { preset: "given" }],
  [{ most: "5" }, 'spec.most: Invalid value: "string": spec.most in body must be of type integer: "string"'],
  [{ most: 1.5 }, 'spec.most: Invalid value: "number": spec.most in body must be of type integer: "number"'],
  [{ few: "a" }, 'spec.few: Invalid value: "string": spec.few in body must be of type array: "string"'],
  [{ most: 12345678901234 }, "spec.most: Invalid value: 12345678901234: spec.most in body should be less than or equal to 5"],
  [{ byName: [{ name: "a", port: "x" }] }, 'spec.byName[0].port: Invalid value: "string": spec.byName[0].port in body must be of type integer: "string"'],
  [{ labels: { a: null } }, { labels: {} }],
  [{ inner: {} }, { inner: { metric: 100 } }],
  [{ inner: { list: [{}, { on: false }] } }, { inner: { list: [{ on: true }, { on: false }], metric: 100 } }],
  [{ any: { b: "1", a: "1" } }, { any: { a: "1", b: "1" } }],
  [{ partly: { known: { a: "1", b: "2" }, other: { x: 1 } } }, { partly: { known: { a: "1" }, other: { x: 1 } } }],
  [{ anything: { x: { y: 1 } } }, { anything: { x: { y: 1 } } }],
  [{ bare: { x: 1 } }, { bare: {} }],
  [
    { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { a: "1", b: "2" }, more: 1 } },
    { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { a: "1" } } },
  ],
  [{ either: { a: 1 } }, 'spec.either.a: Invalid value: "integer": spec.either.a in body must be of type string: "integer"'],
];

/** A part of an object, and the fields that an apply of it names as not declared; none: it is applied. */
const APPLIED: readonly (readonly [object, ...string[]])[] = [
  [{ spec: { pattern: "a" } }],
  [{ spec: { patern: "a" } }, ".spec.patern"],
  [{ specs: {} }, ".specs"],
  [{ metadata: { labells: { a: "b" } } }, ".metadata.labells"],
  [{ spec: { inner: { metric: 1, metrik: 1 } } }, ".spec.inner.metrik"],
  [{ spec: { inner: { metric: 1, list: [{ on: true }, { of: true }] } } }, ".spec.inner.list[1].of"],
  [{ spec: { byName: [{ name: "a", prt: 1 }] } }, '.spec.byName[name="a"].prt'],
  [{ spec: { tags: { any: "x" } } }],
  [{ spec: { rows: { one: { a: "1" } } } }],
  [{ spec: { rows: { one: { b: "1" } } } }, ".spec.rows.one.b"],
  [{ spec: { anything: { x: { y: [{ z: 1 }] } } } }],
  [{ spec: { partly: { other: { x: 1 } } } }],
  [{ spec: { partly: { known: { b: "1" } } } }],
  [{ spec: { bare: { x: 1 } } }],
  [{ spec: { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { a: "1" } } } }],
  [{ spec: { template: { apiVersion: "v1", kind: "Pod", specs: {} } } }, ".spec.template.specs"],
  // Of a map's fields, whose order is random there, a real API tells none after the first undeclared one; of a list it tells all.
  [{ spec: { inner: { metric: 1, list: [{ off: true }, { of: true }] } } }, ".spec.inner.list[0].off", ".spec.inner.list[1].of"],
];

export function customSchemaSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  beforeAll(async () => {
    api = await start();
    await api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION);
    await isServed(api, THINGS);
  });
  afterAll(() => api.stop());

  const make = (name: string, spec: object): Promise<Body> =>
    api.call("POST", THINGS, { apiVersion: "test.example.org/v1", kind: "Thing", metadata: { name }, spec });

  test.each(CASES)("%j", async (spec, expected) => {
    const made = make("thing", spec);
    if (typeof expected === "string") {
      await expect(made).rejects.toThrow(`POST ${THINGS}: 422 Thing.test.example.org "thing" is invalid: ${expected}`);
      return;
    }
    expect((await made)["spec"]).toEqual({ preset: "given", ...expected });
    await api.call("DELETE", `${THINGS}/thing`);
  });

  test.each(APPLIED)("an apply of %j", async (part, ...fields) => {
    const { metadata, ...rest } = part as { metadata?: object };
    const object = { apiVersion: "test.example.org/v1", kind: "Thing", metadata: { name: "applied", namespace: "default", ...metadata }, ...rest };
    const applied = api.call("PATCH", `${THINGS}/applied?fieldValidation=Strict`, object, { manager: "pulumi", type: APPLY });
    if (fields.length === 0) await applied;
    else {
      const errors = fields.map((field) => `${field}: field not declared in schema`);
      const said = errors.length === 1 ? errors[0] : ["errors:", ...errors.map((error) => `  ${error}`)].join("\n");
      await expect(applied).rejects.toThrow(
        `PATCH ${THINGS}/applied?fieldValidation=Strict: 500 failed to create typed patch object (default/applied; test.example.org/v1, Kind=Thing): ${said}`,
      );
    }
  });
}
