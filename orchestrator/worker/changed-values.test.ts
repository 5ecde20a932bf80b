import { SIGNATURE, SIGNATURE_KEY, UNKNOWN, UNKNOWNS } from "../../common/signatures";
import { changedValues, driftedValues } from "./changed-values";

test("old and new values of changed properties, also below quoted keys and in lists", () => {
  const old = { inputs: { memory: { dedicated: 2048 }, labels: { "a.b/c": "old" }, disks: [{ size: 1 }], gone: true } };
  const next = { inputs: { memory: { dedicated: 4096 }, labels: { "a.b/c": "new" }, disks: [{ size: 2 }], open: UNKNOWN, UNKNOWNS } };
  const detailedDiff = { "memory.dedicated": {}, 'labels["a.b/c"]': {}, "disks[0].size": {}, gone: {}, open: {}, nowhere: {} };
  expect(changedValues({ op: "update", old, new: next, detailedDiff })).toEqual([
    { path: "memory.dedicated", from: "2048", to: "4096" },
    { path: 'labels["a.b/c"]', from: '"old"', to: '"new"' },
    { path: "disks[0].size", from: "1", to: "2" },
    { path: "gone", from: "true" },
    { path: "open", to: "(unknown)" },
  ]);
});

/** As the engines write values that JSON does not have. */
const value = (kind: keyof typeof SIGNATURE, rest: object) => ({ [SIGNATURE_KEY]: SIGNATURE[kind], ...rest });

test("secrets, files and resources are named by what they are, also inside of other values", () => {
  const secret = value("secret", { ciphertext: "[secret]" });
  const file = (hash: string) => value("asset", { hash, path: "a.txt" });
  const old = { inputs: { stdin: secret, env: { A: secret, B: "b" }, file: file("0123456789abcdef"), list: [1], on: { a: 1 } } };
  const next = {
    inputs: {
      stdin: secret,
      env: { A: secret, B: UNKNOWN },
      file: file("fedcba9876543210"),
      list: [value("archive", {})],
      on: value("resource", { urn: "urn:pulumi:a" }),
    },
  };
  const shown = [
    { path: "stdin", from: "[secret]", to: "[secret]" },
    { path: "env", from: '{"A":"[secret]","B":"b"}', to: '{"A":"[secret]","B":"(unknown)"}' },
    { path: "file", from: "(file 0123456789ab)", to: "(file fedcba987654)" },
    { path: "list", from: "[1]", to: '["(archive)"]' },
    { path: "on", from: '{"a":1}', to: "(urn:pulumi:a)" },
  ];
  expect(changedValues({ op: "update", old, new: next, diffs: Object.keys(old.inputs) })).toEqual(shown);
  // A difference inside of a secret is shown as the secret.
  expect(changedValues({ op: "update", old, new: next, detailedDiff: { "stdin.password": { diffKind: "update" } } })).toEqual([
    { path: "stdin.password", from: "[secret]", to: "[secret]", kind: "update" },
  ]);
  expect(driftedValues({ old, new: next }).map(({ path }) => path)).toEqual(["env.B", "file", "list[0]", "on"]);
});

test("an unknown value is called so in every form that the engines have: an unknown text, number, list and map", () => {
  const old = { inputs: { a: 1, b: { c: 1 } } };
  for (const mark of UNKNOWNS)
    expect(changedValues({ op: "update", old, new: { inputs: { a: mark, b: { c: mark } } }, detailedDiff: { a: {}, b: {} } })).toEqual([
      { path: "a", from: "1", to: "(unknown)" },
      { path: "b", from: '{"c":1}', to: '{"c":"(unknown)"}' },
    ]);
});

test("without a detailed difference the changed keys; nothing of a creation", () => {
  const step = { old: { inputs: { a: 1 }, outputs: { b: "found" } }, new: { inputs: { a: 2, b: "wanted" } }, diffs: ["a", "b"] };
  expect(changedValues({ op: "replace", ...step })).toEqual([
    { path: "a", from: "1", to: "2" },
    { path: "b", from: '"found"', to: '"wanted"' },
  ]);
  expect(changedValues({ op: "create", ...step })).toEqual([]);
});

test("what a refresh found, leaf by leaf: in the inputs, or else in the outputs", () => {
  const old = { inputs: { memory: 2048, tags: ["a", "b"], labels: { "a.b": "x" }, gone: 1 }, outputs: { at: 1 } };
  const read = { inputs: { memory: 4096, tags: ["a", "c"], labels: { "a.b": "y" }, more: { deep: true } }, outputs: { at: 2 } };
  expect(driftedValues({ old, new: read })).toEqual([
    { path: "memory", kind: "update", from: "2048", to: "4096" },
    { path: "tags[1]", kind: "update", from: '"b"', to: '"c"' },
    { path: 'labels["a.b"]', kind: "update", from: '"x"', to: '"y"' },
    { path: "gone", kind: "delete", from: "1" },
    { path: "more", kind: "add", to: '{"deep":true}' },
  ]);
  expect(driftedValues({ old, new: { ...old, outputs: { at: 2 } } })).toEqual([{ path: "at", kind: "update", from: "1", to: "2" }]);
  // A secret is masked by the engine.
  expect(driftedValues({ old: { inputs: { key: "[secret]" } }, new: { inputs: { key: "[secret]" } } })).toEqual([]);
});
