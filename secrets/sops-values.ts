/** Single values of a SOPS file: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, with the value's place as additional data. */
import * as crypto from "node:crypto";

/** `time` is written by SOPS 3.10 and newer for a date that stands without quotes. */
const ENCRYPTED = /^ENC\[AES256_GCM,data:([^,\]]*),iv:([^,\]]+),tag:([^,\]]+),type:(str|int|float|bool|bytes|time|comment)\]$/;

/** A value as SOPS takes it into the MAC and encrypts it (Go's formats). */
export interface PlainValue {
  text: string;
  type: string;
}

export const isEncryptedValue = (text: string): boolean => ENCRYPTED.test(text);

/** @param place keys down to the value; for a comment down to the map that it stands in */
export function encryptValue({ text, type }: PlainValue, key: Uint8Array, additional: string): string {
  // SOPS takes 32 bytes as nonce, not the usual 12.
  const iv = crypto.randomBytes(32);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(additional));
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return `ENC[AES256_GCM,data:${data.toString("base64")},iv:${iv.toString("base64")},tag:${cipher.getAuthTag().toString("base64")},type:${type}]`;
}

/** @throws where the text was changed, moved, or encrypted with another key */
export function decryptValue(text: string, key: Uint8Array, additional: string): PlainValue {
  const match = ENCRYPTED.exec(text);
  if (!match) throw new Error("not an encrypted value");
  const [data, iv, tag] = [match[1], match[2], match[3]].map((part) => Buffer.from(part ?? "", "base64")) as [Buffer, Buffer, Buffer];
  const cipher = crypto.createDecipheriv("aes-256-gcm", key, iv, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(additional));
  cipher.setAuthTag(tag);
  return { text: Buffer.concat([cipher.update(data), cipher.final()]).toString("utf8"), type: match[4] ?? "str" };
}

/** What binds a value to its place. */
export const additionalData = (place: readonly string[]): string => `${place.join(":")}:`;

export function plainValue(value: string | number | boolean): PlainValue {
  if (typeof value === "string") return { text: value, type: "str" };
  if (typeof value === "boolean") return { text: value ? "True" : "False", type: "bool" };
  return { text: String(value), type: Number.isInteger(value) ? "int" : "float" };
}

/** The value that a program sees. A number that JavaScript cannot hold exactly stays text. */
export function programValue({ text, type }: PlainValue): string | number | boolean {
  if (type === "bool") return text === "True";
  if ((type === "int" || type === "float") && String(Number(text)) === text) return Number(text);
  return text;
}

/** SHA-512 over all values in the order of the file, as SOPS writes it. Comments are not part of it. */
export function macOf(texts: Iterable<string>): string {
  const hash = crypto.createHash("sha512");
  for (const text of texts) hash.update(text);
  return hash.digest("hex").toUpperCase();
}
