import { parsePath, resetPaths } from "./paths";
import { makeSecret, type PropertyMap, type Value } from "./values";

test.each<[string, (string | number)[]]>([
  ["root.nested", ["root", "nested"]],
  ['root["nested"]', ["root", "nested"]],
  ['["root key with a ."][100]', ["root key with a .", 100]],
  ['root["key with \\"escaped\\" quotes"]', ["root", 'key with "escaped" quotes']],
  ['root["C:\\dir"]', ["root", "C:\\dir"]],
  ["root.array[0][1].nested", ["root", "array", 0, 1, "nested"]],
  ["root.array[*].field", ["root", "array", "*", "field"]],
  ['root["*"].*', ["root", "*", "*"]],
  ["root.[0]", ["root", 0]],
  ["a..b", ["a", "b"]],
  ["foo-bar/baz", ["foo-bar/baz"]],
  ['metadata.annotations["argocd.argoproj.io/sync-wave"]', ["metadata", "annotations", "argocd.argoproj.io/sync-wave"]],
  ["a]b", ["a]b"]],
  ["a[-1]", ["a", -1]],
  ["", []],
])("%s is read as the CLI reads it", (path, parts) => {
  expect(parsePath(path)).toEqual(parts);
});

test.each([".a", "a.", "a[", 'a["b', 'a["b"', "a[b]", "a[]", "a[1.5]"])("%s is none", (path) => {
  expect(() => parsePath(path)).toThrow(`not a property path: ${path}`);
});

const SECRET = makeSecret("s");
// As `PropertyPath.Reset` of the CLI: the new inputs, the old ones, and whether not everything could be ignored.
test.each<[string, PropertyMap, PropertyMap, PropertyMap, boolean?]>([
  ["a", { a: 2 }, { a: 1 }, { a: 1 }],
  ["a", {}, { a: 1 }, { a: 1 }],
  ["a", { a: 2 }, {}, {}],
  ["a.b", { a: { b: 2, c: 3 } }, { a: { b: 1 } }, { a: { b: 1, c: 3 } }],
  ["a.b", { a: { b: 2, c: 3 } }, {}, { a: { c: 3 } }],
  ["a.b", { a: { c: 3 } }, { a: { b: 1 } }, { a: { b: 1, c: 3 } }],
  ["a.b", {}, { a: { b: 1 } }, {}, true],
  ["a.b", { a: 5 }, { a: { b: 1 } }, { a: 5 }, true],
  ["a.b", { a: 5 }, { a: 6 }, { a: 5 }],
  ["a.b.c", { a: { b: { c: 2 } } }, {}, { a: { b: { c: 2 } } }, true],
  ["a.b.c", { a: { b: { c: 2 } } }, { a: {} }, { a: { b: {} } }],
  ["a.b.c", {}, {}, {}],
  ["l[0]", { l: [2, 3] }, { l: [1] }, { l: [1, 3] }],
  ["l[1]", { l: [2, 3] }, { l: [1] }, { l: [2, 3] }, true],
  ["l[5]", { l: [2] }, { l: [1] }, { l: [2] }],
  ["l[-1]", { l: [2] }, { l: [1] }, { l: [2] }, true],
  ["l[0].image", { l: [{ image: 2, n: 1 }] }, { l: [{ image: 1 }] }, { l: [{ image: 1, n: 1 }] }],
  ["l[1].image", { l: [{ image: 2 }, { image: 3 }] }, { l: [{ image: 1 }] }, { l: [{ image: 2 }, { image: 3 }] }, true],
  ["l[*].image", { l: [{ image: 2 }, { image: 3 }] }, { l: [{ image: 1 }] }, { l: [{ image: 1 }, { image: 3 }] }, true],
  ["l[*].image", { l: [{ image: 2 }] }, { l: [{ image: 1 }, { image: 9 }] }, { l: [{ image: 1 }] }, true],
  ["l[*]", { l: [2, 3] }, { l: [1, 0] }, { l: [1, 0] }],
  ["l[*]", { l: [2, 3, 4] }, { l: [1, 0] }, { l: [1, 0, 4] }, true],
  ["m.*", { m: { a: 2, b: 3 } }, { m: { a: 1, c: 4 } }, { m: { a: 1, c: 4 } }],
  ["m[*].v", { m: { a: { v: 2 }, b: { v: 3 } } }, { m: { a: { v: 1 } } }, { m: { a: { v: 1 }, b: { v: 3 } } }],
  ["m[*].v", { m: { a: { v: 2 } } }, { m: { a: { v: 1 }, b: { v: 3 } } }, { m: { a: { v: 1 } } }, true],
  ['m["a.b"]', { m: { "a.b": 2 } }, { m: { "a.b": 1 } }, { m: { "a.b": 1 } }],
  ["s.v", { s: { v: "new" } }, { s: makeSecret({ v: "s" }) }, { s: { v: SECRET } }],
  ["s.v", { s: makeSecret({ v: "new" }) }, { s: { v: "s" } }, { s: makeSecret({ v: "s" }) }],
  ["l[*].v", { l: [{ v: "new" }] }, { l: [makeSecret({ v: "s" })] }, { l: [{ v: SECRET }] }],
  ["a[", { a: 2 }, { a: 1 }, { a: 2 }, true],
])("%s of %j over %j", (path, news, olds, expected, missed = false) => {
  const failed: string[] = [];
  expect(resetPaths(news, olds, [path], (one) => failed.push(one))).toEqual(expected as Value);
  expect(failed).toEqual(missed ? [path] : []);
});
