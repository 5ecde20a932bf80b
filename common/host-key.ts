/** A host's SSH key as in known_hosts: `<algorithm> <base64>`. */

/** Signature algorithms for a key of this type; for RSA, those that OpenSSH still accepts. */
const algorithmsOf = (type: string): string[] => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]);

/** The key's algorithm is its first field. */
export function hostKeyText(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return `${key.subarray(4, 4 + length).toString("latin1")} ${key.toString("base64")}`;
}

export interface HostKeyPin {
  /** What the client must offer: a server has several keys and shows the one that the client prefers. */
  algorithms: string[];
  accepts(key: Buffer): boolean;
}

/** @returns undefined where the text is no host key */
export function pinHostKey(text: string): HostKeyPin | undefined {
  const [type, base64] = text.trim().split(/\s+/);
  if (type === undefined || base64 === undefined) return undefined;
  return { algorithms: algorithmsOf(type), accepts: (key) => key.toString("base64") === base64 };
}

/** Whether ssh2's error says that the server has no key with one of the offered algorithms. */
export const isOtherKindOfKey = (error: Error): boolean => /no matching host key/i.test(error.message);
