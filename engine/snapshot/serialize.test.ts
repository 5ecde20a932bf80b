import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { makeSecret } from "../wire/values";
import { deserializeSnapshot, type SecretsCodec, serializeSnapshot } from "./serialize";
import { emptyState } from "./types";

/** Shows what was encrypted, and how often. */
const codec: SecretsCodec = { encrypt: (text) => `<${text}>`, decrypt: (text) => text.slice(1, -1) };
const secret = (ciphertext: string) => ({ [SIGNATURE_KEY]: SIGNATURE.secret, ciphertext });

test("a secret within a secret is written as the CLI does: both in its form, encrypted once, and read again", () => {
  const inputs = { connection: makeSecret({ host: "h", privateKey: makeSecret("KEY") }) };
  const state = { ...emptyState("urn:pulumi:dev::p::t::n", "t", false), inputs };
  const written = serializeSnapshot({ resources: [state], pendingOperations: [] }, codec);
  const inner = JSON.stringify({ host: "h", privateKey: secret('"KEY"') });
  expect(written.resources).toMatchObject([{ inputs: { connection: secret(`<${inner}>`) } }]);
  expect(deserializeSnapshot(JSON.parse(JSON.stringify(written)), codec).resources[0]?.inputs).toEqual(inputs);
});

test("as an export shows it, and as earlier versions of this engine wrote it, it is read too", () => {
  const plaintext = JSON.stringify({ key: { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext: '"K"' } });
  const wire = JSON.stringify({ key: makeSecret("K") });
  const inputs = { exported: { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext }, earlier: secret(`<${wire}>`) };
  const { resources } = deserializeSnapshot({ resources: [{ urn: "urn:pulumi:dev::p::t::n", custom: false, type: "t", inputs }] }, codec);
  const expected = makeSecret({ key: makeSecret("K") });
  expect(resources[0]?.inputs).toEqual({ exported: expected, earlier: expected });
});

test("integers beyond 2^53 that nobody changes are written with all of their digits, in secrets too", () => {
  const text = `{"resources":[{"urn":"urn:pulumi:dev::p::t::n","custom":true,"id":"1","type":"t","inputs":{"big":1098765432109876543,"list":[{"deep":-9007199254740993}],"small":7},"outputs":{"secret":{"${SIGNATURE_KEY}":"${SIGNATURE.secret}","ciphertext":"<{\\"in\\":12345678901234567890}>"}}}]}`;
  const snapshot = deserializeSnapshot(parseExactJson(text) as { resources: unknown[] }, codec);
  const [state] = snapshot.resources;
  expect(state?.inputs).toEqual({ big: 1098765432109876500, list: [{ deep: -9007199254740992 }], small: 7 });
  expect(exactJson(serializeSnapshot(snapshot, codec))).toBe(text);
  // Copied, as a step does that changes something else of it.
  const changed = { ...snapshot, resources: snapshot.resources.map((r) => ({ ...r, inputs: { ...r.inputs, big: 5 }, protect: true })) };
  expect(exactJson(serializeSnapshot(changed, codec))).toContain('"inputs":{"big":5,"list":[{"deep":-9007199254740993}],"small":7}');
});

test.each([["viewOf"], ["snippetID"], ["extensionRef"], ["refreshBeforeUpdate"]])("a state with %s is refused by name, and not read without it", (field) => {
  const resource = { urn: "urn:pulumi:dev::p::t::n", custom: true, id: "1", type: "t", [field]: field === "refreshBeforeUpdate" ? true : "x" };
  expect(() => deserializeSnapshot({ resources: [resource] }, codec)).toThrow(
    `urn:pulumi:dev::p::t::n uses ${field}, which the embedded engine does not support`,
  );
});

test("numbers that JSON has no form for are written as the CLI writes them, in secrets too, and read again", () => {
  const bits = (value: string) => ({ [SIGNATURE_KEY]: SIGNATURE.number, value });
  const inputs = { none: Number.NaN, list: [Number.POSITIVE_INFINITY, { low: Number.NEGATIVE_INFINITY }], hidden: makeSecret(Number.NaN) };
  const state = { ...emptyState("urn:pulumi:dev::p::t::n", "t", false), inputs };
  const written = serializeSnapshot({ resources: [state], pendingOperations: [] }, codec);
  expect(written.resources?.[0]?.["inputs"]).toEqual({
    none: bits("7fffffffffffffff"),
    list: [bits("7ff0000000000000"), { low: bits("fff0000000000000") }],
    hidden: secret(`<${JSON.stringify(bits("7fffffffffffffff"))}>`),
  });
  const again = JSON.parse(JSON.stringify(written).replace("7fffffffffffffff", "7FF8000000000001"));
  expect(deserializeSnapshot(again, codec).resources[0]?.inputs).toEqual(inputs);
});
