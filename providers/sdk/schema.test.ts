import { block, bool, type Fields, list, num, set, str } from "./schema";
import { checkSchema, withoutNotes } from "./schema-check";
import { diffSchema, driftedInputs, importedInputs } from "./schema-compare";
import { UNKNOWN } from "./values";

const fields: Fields = {
  name: str({ autoName: true, replace: true }),
  size: num({ default: 8 }),
  path: str({ computed: true }),
  notes: str(),
  tags: set(str()),
  mode: block({ fast: bool({ default: true }), level: num() }),
  disks: list(block({ id: str({ required: true }), bytes: num({ computed: true }) })),
};
const naming = { name: "web", seed: new Uint8Array([1, 2, 3]) };
const check = (news: Parameters<typeof checkSchema>[1], olds?: Parameters<typeof checkSchema>[2]) => checkSchema(fields, news, olds, naming);

test("check fills defaults at every level and notes which", () => {
  expect(check({ name: "n", mode: { level: 2 }, disks: [{ id: "a" }] })).toEqual({
    failures: [],
    inputs: {
      name: "n",
      size: 8,
      mode: { level: 2, fast: true, __defaults: ["fast"] },
      disks: [{ id: "a", __defaults: [] }],
      __defaults: ["size"],
    },
  });
});

test("a generated name depends on the seed alone, and stays once it was given", () => {
  const first = check({}).inputs["name"];
  expect(first).toMatch(/^web-[0-9a-f]{7}$/);
  expect(check({}).inputs["name"]).toBe(first);
  expect(check({}, { name: "web-0000000", __defaults: ["name"] }).inputs["name"]).toBe("web-0000000");
  expect(check({}, { name: "chosen", __defaults: [] }).inputs["name"]).toBe(first);
});

test("a default of the last run stays although the default is another one now", () => {
  expect(check({ name: "n" }, { name: "n", size: 4, __defaults: ["size"] }).inputs["size"]).toBe(4);
});

test("numbers and booleans as text are taken; other types, unknown names and missing ones are complaints", () => {
  expect(check({ name: "n", size: "12", mode: { fast: "false" } }).inputs).toMatchObject({ size: 12, mode: { fast: false } });
  expect(check({ name: ["n"], size: UNKNOWN, sise: 1, disks: [{}] }).failures).toEqual([
    { property: "name", reason: "must be a string, not a list" },
    { property: "sise", reason: "the embedded provider does not support this property: did you mean `size`?" },
    { property: "disks[0].id", reason: "is required" },
  ]);
});

test("what is no change: order of a set, empty for absent, a computed value that is not asked for any more", () => {
  const olds = { name: "n", tags: ["a", "b"], path: "/x", mode: { fast: true, level: 0 }, disks: [{ id: "a", bytes: 5 }] };
  expect(diffSchema(fields, olds, { name: "n", tags: ["b", "a"], notes: "", mode: { fast: true }, disks: [{ id: "a" }] }).detailed).toEqual({});
});

test("differences are those of the state and the inputs, as the bridge says", () => {
  expect(diffSchema(fields, { size: 8, name: "n" }, { size: 9, name: "m" }).detailed).toEqual({
    size: { kind: "update", inputDiff: false },
    name: { kind: "update-replace", inputDiff: false },
  });
});

test("what is a change, and what replaces", () => {
  const olds = { name: "n", size: 8, tags: ["a"], disks: [{ id: "a" }] };
  expect(diffSchema(fields, olds, { name: "m", size: 9, tags: ["c"], path: "", disks: [{ id: "a" }, { id: "b" }] })).toMatchObject({
    replaces: ["name"],
    detailed: {
      name: { kind: "update-replace" },
      size: { kind: "update" },
      "tags[0]": { kind: "update" },
      path: { kind: "add" },
      "disks[1]": { kind: "add" },
    },
  });
});

test("drift: only what differs in the target takes the place of an input", () => {
  const inputs = { name: "n", size: 8, tags: ["a", "b"], mode: { fast: true }, disks: [{ id: "a" }], __defaults: ["size"] };
  const live = { name: "n", size: 9, tags: ["b", "a"], path: "/x", mode: { fast: false, level: 3 }, disks: [{ id: "a", bytes: 7 }] };
  expect(driftedInputs(fields, inputs, live)).toEqual({ ...inputs, size: 9, mode: { fast: false } });
});

test("an import takes what can be set and is", () => {
  expect(importedInputs(fields, { name: "n", size: 9, notes: "", serial: "x", mode: { fast: true, level: 0 } })).toEqual({
    name: "n",
    size: 9,
    mode: { fast: true, __defaults: [] },
    __defaults: [],
  });
});

test("notes never reach the target", () => {
  expect(withoutNotes(check({ name: "n", disks: [{ id: "a" }] }).inputs)).toEqual({ name: "n", size: 8, disks: [{ id: "a" }] });
});
