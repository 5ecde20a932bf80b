import { changedValues, driftedValues } from "./changed-values";

test("old and new values of changed properties, also below quoted keys and in lists", () => {
  const old = { inputs: { memory: { dedicated: 2048 }, labels: { "a.b/c": "old" }, disks: [{ size: 1 }], gone: true } };
  const next = { inputs: { memory: { dedicated: 4096 }, labels: { "a.b/c": "new" }, disks: [{ size: 2 }], open: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" } };
  const detailedDiff = { "memory.dedicated": {}, 'labels["a.b/c"]': {}, "disks[0].size": {}, gone: {}, open: {}, nowhere: {} };
  expect(changedValues({ op: "update", old, new: next, detailedDiff })).toEqual([
    { path: "memory.dedicated", from: "2048", to: "4096" },
    { path: 'labels["a.b/c"]', from: '"old"', to: '"new"' },
    { path: "disks[0].size", from: "1", to: "2" },
    { path: "gone", from: "true" },
    { path: "open", to: "(not known yet)" },
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
