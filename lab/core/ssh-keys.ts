import { utils } from "ssh2";

export interface SshKeyPair {
  /** OpenSSH private key. */
  private: string;
  /** A line of authorized_keys. */
  public: string;
}

/** A new Ed25519 key. ssh2 now and then writes a private key that it cannot read itself: those are thrown away. */
export function newSshKey(comment = ""): SshKeyPair {
  for (let attempt = 0; attempt < 20; attempt++) {
    const pair = utils.generateKeyPairSync("ed25519", { comment });
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
  throw new Error("ssh2 could not make a readable key in 20 attempts");
}
