/** SSH keys of the homelab's own making. */
import { utils } from "ssh2";

export interface SshKeyPair {
  /** OpenSSH private key. */
  private: string;
  /** A line of authorized_keys. */
  public: string;
}

/** A new Ed25519 key. Now and then ssh2 writes a key that it cannot parse itself: such a pair is thrown away. */
export function newSshKey(comment = "", passphrase?: string): SshKeyPair {
  const options = passphrase === undefined ? { comment } : { comment, passphrase, cipher: "aes256-ctr", rounds: 4 };
  for (let attempt = 0; attempt < 20; attempt++) {
    const pair = utils.generateKeyPairSync("ed25519", options);
    const halves = [utils.parseKey(pair.private, passphrase), utils.parseKey(pair.public)];
    if (!halves.some((half) => half instanceof Error)) return pair;
  }
  throw new Error("ssh2 could not make a readable key in 20 attempts");
}

/** The public half of a private key as in known_hosts: `ssh-ed25519 AAAA…`. @throws Error for text that is no key */
export function publicHalf(privateKey: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) throw new Error("the private key cannot be read", { cause: key });
  return `${key.type} ${key.getPublicSSH().toString("base64")}`;
}
