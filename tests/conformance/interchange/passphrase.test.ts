/** The CLI's passphrase secrets, bit for bit: vectors computed by another implementation (Python's hashlib and cryptography) from the format's description. */
import { createDecipheriv } from "node:crypto";
import { PassphraseSecrets } from "../../../engine/secrets/passphrase";
import vector from "./passphrase-vector.json";

beforeAll(() => {
  process.env["PULUMI_CONFIG_PASSPHRASE"] = vector.passphrase;
});

test.each(vector.secrets)("$plaintext is read", ({ plaintext, ciphertext }) => {
  expect(new PassphraseSecrets(vector.salt).decrypt(ciphertext)).toBe(plaintext);
});

test("what is written opens under the vector's key, with a nonce of its own each time", () => {
  const secrets = new PassphraseSecrets(vector.salt);
  const opened = [secrets.encrypt("hush"), secrets.encrypt("hush")].map((text) => {
    const [version, nonce = "", sealed = ""] = text.split(":");
    const [iv, bytes] = [Buffer.from(nonce, "base64"), Buffer.from(sealed, "base64")];
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(vector.keyHex, "hex"), iv);
    decipher.setAuthTag(bytes.subarray(-16));
    return { version, nonceBytes: iv.length, nonce, text: Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString() };
  });
  expect(opened).toMatchObject([
    { version: "v1", nonceBytes: 12, text: "hush" },
    { version: "v1", nonceBytes: 12, text: "hush" },
  ]);
  expect(opened[0]?.nonce).not.toBe(opened[1]?.nonce);
});

test("another passphrase, and a salt that was changed, open nothing", () => {
  process.env["PULUMI_CONFIG_PASSPHRASE"] = "another";
  expect(() => new PassphraseSecrets(vector.salt).unlock()).toThrow("incorrect passphrase");
  process.env["PULUMI_CONFIG_PASSPHRASE"] = vector.passphrase;
  expect(() => new PassphraseSecrets(vector.salt.replace("AQIDBAUGBwg=", "AQIDBAUGBwk=")).unlock()).toThrow("incorrect passphrase");
});
