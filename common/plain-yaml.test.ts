import fc from "fast-check";
import { plainDocuments } from "./plain-yaml";
import { portableDocuments } from "./yaml";

/** What a reader of either version of YAML could take for something else, and what has lines of its own. */
const odd = fc.constantFrom(
  ..."yes No n y ~ null true off 0755 0x1F 1e3 e0 E12 12:30 2020-01-01 .inf .nan << --- ... - ? : | > ` ! @a %p *a &a {a} [x] # é a: a:b:c a:/b".split(" "),
  ...["", "a: b", "- a", "? x", "a #b", "#x", '"q"', "it's", "a\\b", "a b", "a  b", "  a", "a ", " \n a", "\ta", "a\tb", "x".repeat(120), "a/".repeat(90)],
  ...["\n", "a\nb", "a\n", "a\n\n", "a\n  b\n", "  lead\nx", "line1\n\nline3\n", "tail \nspaces \n", "a\r\nb", "https://x/y?z=1", "sha256:0a", "a.b/c-d_e@f"],
);
const text = fc.oneof(odd, fc.string(), fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."ab:/.- \n#_ye0") }));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "medium" },
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, new Date(0)),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(text, tie("json"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const documents = fc.array(fc.dictionary(text, json, { maxKeys: 5, noNullPrototype: true }), { maxLength: 3 });

test("documents are byte for byte those of the library", () => {
  fc.assert(
    fc.property(documents, (values) => {
      expect(plainDocuments(values)).toBe(portableDocuments(values, { aliasDuplicateObjects: false }));
    }),
    { numRuns: 500 },
  );
});

test("an object that stands in two places is written twice", () => {
  const labels = { app: "shop", yes: "no" };
  expect(plainDocuments([{ metadata: { labels }, selector: labels }])).toBe(
    'metadata:\n  labels:\n    app: shop\n    "yes": "no"\nselector:\n  app: shop\n  "yes": "no"\n',
  );
});
