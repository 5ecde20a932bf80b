/**
 * age encryption (age-encryption.org/v1) to X25519 recipients: of small payloads as SOPS has them, armoured, and of whole files in memory.
 * `sops-age` decrypts and cannot encrypt, and it does not give out the data key that a MAC is checked with; both are here.
 */
import * as crypto from "node:crypto";
import { HomelabError } from "../common/errors";

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32_GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function bech32Checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of BECH32_GENERATORS.entries()) if ((top >>> bit) & 1) sum ^= generator;
  }
  return sum;
}

const expandPrefix = (prefix: string): number[] => [...[...prefix].map((c) => c.charCodeAt(0) >>> 5), 0, ...[...prefix].map((c) => c.charCodeAt(0) & 31)];

/** Groups of `from` bits as groups of `to` bits; undefined where bits are left over that are not zero padding. */
function regroup(values: Iterable<number>, from: number, to: number, pad: boolean): number[] | undefined {
  let buffer = 0;
  let bits = 0;
  const out: number[] = [];
  for (const value of values) {
    buffer = ((buffer << from) | value) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      out.push((buffer >>> bits) & ((1 << to) - 1));
    }
  }
  if (pad && bits > 0) out.push((buffer << (to - bits)) & ((1 << to) - 1));
  else if (!pad && (bits >= from || ((buffer << (to - bits)) & ((1 << to) - 1)) !== 0)) return undefined;
  return out;
}

function bech32Encode(prefix: string, bytes: Uint8Array): string {
  const data = regroup(bytes, 8, 5, true) ?? [];
  const sum = bech32Checksum([...expandPrefix(prefix), ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = [0, 1, 2, 3, 4, 5].map((i) => (sum >>> (5 * (5 - i))) & 31);
  return `${prefix}1${[...data, ...checksum].map((v) => BECH32[v]).join("")}`;
}

function bech32Decode(text: string): { prefix: string; bytes: Uint8Array } | undefined {
  const lower = text.toLowerCase();
  const split = lower.lastIndexOf("1");
  if (split < 1 || (text !== lower && text !== text.toUpperCase())) return undefined;
  const prefix = lower.slice(0, split);
  const values = [...lower.slice(split + 1)].map((c) => BECH32.indexOf(c));
  if (values.length < 6 || values.includes(-1) || bech32Checksum([...expandPrefix(prefix), ...values]) !== 1) return undefined;
  const bytes = regroup(values.slice(0, -6), 5, 8, false);
  return bytes && { prefix, bytes: Uint8Array.from(bytes) };
}

const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

const privateKeyOf = (raw: Uint8Array): crypto.KeyObject => crypto.createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: "der", type: "pkcs8" });
const publicKeyOf = (raw: Uint8Array): crypto.KeyObject => crypto.createPublicKey({ key: Buffer.concat([SPKI, raw]), format: "der", type: "spki" });
const rawPublic = (key: crypto.KeyObject): Buffer => crypto.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI.length);

function hkdf(key: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(crypto.hkdfSync("sha256", key, salt, info, 32));
}

function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = crypto.createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws where the text was changed or the key is another one */
function unseal(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Buffer {
  const cipher = crypto.createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([cipher.update(sealed.subarray(0, sealed.length - 16)), cipher.final()]);
}

const ZERO_NONCE = Buffer.alloc(12);
const CHUNK = 64 * 1024;
const TAG = 16;

/** Of a payload's chunk: its number, from 0, in 11 bytes, and a byte that says whether it is the last. */
function chunkNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The bytes in pieces of this size; one empty piece if there are no bytes. */
function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return all;
}

const sealPayload = (key: Uint8Array, plain: Uint8Array): Buffer =>
  Buffer.concat(pieces(plain, CHUNK).map((chunk, index, all) => seal(key, chunkNonce(index, index === all.length - 1), chunk)));

/** @throws where it was changed, cut off, or the key is another one */
const unsealPayload = (key: Uint8Array, sealed: Uint8Array): Buffer =>
  Buffer.concat(pieces(sealed, CHUNK + TAG).map((chunk, index, all) => unseal(key, chunkNonce(index, index === all.length - 1), chunk)));

const FIRST_LINE = Buffer.from("age-encryption.org/v1\n");
const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

/** The raw key of a recipient. @throws HomelabError E_AGE_RECIPIENT */
function recipientKey(recipient: string): Uint8Array {
  const decoded = bech32Decode(recipient);
  if (decoded?.prefix !== "age" || decoded.bytes.length !== 32) {
    throw new HomelabError("E_AGE_RECIPIENT", `"${recipient}" is not an age recipient`, { hint: "a recipient starts with age1; age-keygen prints it" });
  }
  return decoded.bytes;
}

/** A private key with its public half. */
export interface AgeIdentity {
  /** `AGE-SECRET-KEY-1…` */
  secret: string;
  /** `age1…` */
  recipient: string;
}

/** @throws HomelabError E_AGE_KEY; the message never holds the text */
export function parseIdentity(secret: string): AgeIdentity {
  const decoded = bech32Decode(secret);
  if (decoded?.prefix !== "age-secret-key-" || decoded.bytes.length !== 32) {
    throw new HomelabError("E_AGE_KEY", "an age key is damaged", { hint: "a key is one line that starts with AGE-SECRET-KEY-1" });
  }
  return { secret, recipient: bech32Encode("age", rawPublic(privateKeyOf(decoded.bytes))) };
}

export function generateIdentity(): AgeIdentity {
  const raw = crypto.generateKeyPairSync("x25519").privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8.length);
  return parseIdentity(bech32Encode("age-secret-key-", raw).toUpperCase());
}

function stanzaFor(recipient: string, fileKey: Uint8Array): string {
  const theirs = recipientKey(recipient);
  const ephemeral = crypto.generateKeyPairSync("x25519");
  const share = rawPublic(ephemeral.privateKey);
  const shared = crypto.diffieHellman({ privateKey: ephemeral.privateKey, publicKey: publicKeyOf(theirs) });
  const key = hkdf(shared, Buffer.concat([share, theirs]), "age-encryption.org/v1/X25519");
  return `-> X25519 ${unpadded(share)}\n${unpadded(seal(key, ZERO_NONCE, fileKey))}\n`;
}

/** Encrypted to all recipients, as the program `age` writes it. */
export function ageEncryptFile(plain: Uint8Array, recipients: readonly string[]): Buffer {
  if (recipients.length === 0) throw new HomelabError("E_AGE_RECIPIENT", "there is no age recipient to encrypt to", { hint: "add one to .sops.yaml" });
  const fileKey = crypto.randomBytes(16);
  const header = `age-encryption.org/v1\n${recipients.map((recipient) => stanzaFor(recipient, fileKey)).join("")}---`;
  const mac = crypto
    .createHmac("sha256", hkdf(fileKey, Buffer.alloc(0), "header"))
    .update(header)
    .digest();
  const nonce = crypto.randomBytes(16);
  return Buffer.concat([Buffer.from(`${header} ${unpadded(mac)}\n`), nonce, sealPayload(hkdf(fileKey, nonce, "payload"), plain)]);
}

/** The same as armoured text that ends with a newline. */
export function ageEncrypt(plain: Uint8Array, recipients: readonly string[]): string {
  const lines =
    ageEncryptFile(plain, recipients)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN AGE ENCRYPTED FILE-----\n${lines.join("\n")}\n-----END AGE ENCRYPTED FILE-----\n`;
}

function damaged(what: string, cause?: unknown): HomelabError {
  return new HomelabError("E_AGE_FILE", `the age header is damaged: ${what}`, { ...(cause === undefined ? {} : { cause }), hint: "restore the file from Git" });
}

function unwrapFileKey(stanza: string, identity: crypto.KeyObject): Buffer | undefined {
  const match = /^-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})$/.exec(stanza);
  if (!match?.[1] || !match[2]) return undefined;
  const share = Buffer.from(match[1], "base64");
  const shared = crypto.diffieHellman({ privateKey: identity, publicKey: publicKeyOf(share) });
  const key = hkdf(shared, Buffer.concat([share, rawPublic(identity)]), "age-encryption.org/v1/X25519");
  try {
    return unseal(key, ZERO_NONCE, Buffer.from(match[2], "base64"));
  } catch {
    // Encrypted to another recipient: the next stanza may be ours.
    return undefined;
  }
}

/** The inverse of {@link ageEncrypt}. @throws HomelabError E_AGE_FILE (damaged) or E_AGE_KEY (not encrypted to this key) */
export function ageDecrypt(armoured: string, identity: AgeIdentity): Buffer {
  const armour = /^\s*-----BEGIN AGE ENCRYPTED FILE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END AGE ENCRYPTED FILE-----\s*$/.exec(armoured);
  if (!armour?.[1]) throw damaged("no age armour");
  return ageDecryptFile(Buffer.from(armour[1], "base64"), identity);
}

/** The inverse of {@link ageEncryptFile}, also of what the program `age` wrote without armour. @throws as {@link ageDecrypt} */
export function ageDecryptFile(binary: Buffer, identity: AgeIdentity): Buffer {
  if (!binary.subarray(0, FIRST_LINE.length).equals(FIRST_LINE)) throw damaged("it is not an age file");
  const end = binary.indexOf("\n---");
  if (end < 0) throw damaged("it has no end");
  const header = binary.subarray(0, end + "\n---".length).toString("latin1");
  const macEnd = binary.indexOf("\n", end + 1);
  const mac = Buffer.from(binary.subarray(end + "\n--- ".length, macEnd).toString("latin1"), "base64");
  const stanzas = header.slice(header.indexOf("\n") + 1, -"\n---".length).split(/\n(?=-> )/);
  const raw = bech32Decode(identity.secret)?.bytes;
  if (raw === undefined) throw new HomelabError("E_AGE_KEY", "an age key is damaged");
  const own = privateKeyOf(raw);
  const fileKey = stanzas.map((stanza) => unwrapFileKey(stanza, own)).find((key) => key !== undefined);
  if (fileKey === undefined) throw new HomelabError("E_AGE_KEY", `it is not encrypted to ${identity.recipient}`);
  const expected = crypto
    .createHmac("sha256", hkdf(fileKey, Buffer.alloc(0), "header"))
    .update(header)
    .digest();
  if (mac.length !== expected.length || !crypto.timingSafeEqual(mac, expected)) throw damaged("its MAC does not match");
  const nonce = binary.subarray(macEnd + 1, macEnd + 17);
  try {
    return unsealPayload(hkdf(fileKey, nonce, "payload"), binary.subarray(macEnd + 17));
  } catch (cause) {
    throw damaged("its payload does not open", cause);
  }
}
