/** Reads an OpenSSH private key without a library: `openssh-key-v1` (PROTOCOL.key of OpenSSH) has the public half in clear. */
const MAGIC = "openssh-key-v1\0";

/** A field with its length before it; undefined where the bytes end before it does. */
function fieldAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + 4 > bytes.length) return undefined;
  const end = at + 4 + bytes.readUInt32BE(at);
  return end > bytes.length ? undefined : bytes.subarray(at + 4, end);
}

/** `ssh-ed25519 AAAA…`; undefined for text that is no such key, or is cut off. */
export function publicHalfOf(privateKey: string): string | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(privateKey) ?? [];
  const bytes = Buffer.from(body ?? "", "base64");
  if (bytes.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) return undefined;
  let at = MAGIC.length;
  // Cipher, derivation and its options; then the number of keys.
  for (let skipped = 0; skipped < 3; skipped++) {
    const field = fieldAt(bytes, at);
    if (field === undefined) return undefined;
    at += 4 + field.length;
  }
  const key = fieldAt(bytes, at + 4);
  const type = key && fieldAt(key, 0);
  return key && type && `${type.toString("latin1")} ${key.toString("base64")}`;
}
