import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { exportedOutputs } from "./exported-outputs";

const secret = (value: unknown) => ({ [SIGNATURE_KEY]: SIGNATURE.secret, plaintext: JSON.stringify(value) });
const stateOf = (...resources: object[]): object => ({ version: 3, deployment: { manifest: {}, resources } });

test("outputs of the stack itself, in the clear, and which of them are secret", () => {
  const outputs = { address: "10.0.0.1", token: secret("s.1"), nested: { key: secret({ a: [1, secret("deep")] }), port: 6443 }, none: null };
  const text = stateOf({ type: "vault:index/mount:Mount", outputs: { path: "kv" } }, { type: "pulumi:pulumi:Stack", outputs });
  expect(exportedOutputs(text)).toEqual({
    address: { value: "10.0.0.1", secret: false },
    token: { value: "s.1", secret: true },
    nested: { value: { key: { a: [1, "deep"] }, port: 6443 }, secret: false },
    none: { value: null, secret: false },
  });
});

test.each([
  ["nothing built", { version: 3, deployment: {} }],
  ["a stack that was just made", { version: 3, deployment: null }],
  ["a stack whose resources are null", { version: 3, deployment: { resources: null } }],
  ["a stack without outputs", stateOf({ type: "pulumi:pulumi:Stack" })],
])("%s: no outputs", (_what, text) => {
  expect(exportedOutputs(text)).toEqual({});
});

test.each([undefined, "text", [], { token: "s.secret" }])("what is no export is refused, and the error has nothing of it: %j", (text) => {
  expect(() => exportedOutputs(text)).toThrow(/^pulumi stack export printed what is no state$/);
});
