import { changedValues } from "./changed-values";

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
