/**
 * A new root token from the unseal keys, for as long as one piece of work takes. The one of Vault's first boot is revoked when
 * Vault is set up, so no token with all rights lasts.
 */
import * as fs from "node:fs";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import type { AgeIdentity } from "./age";
import { type VaultApi, VaultRefusal } from "./vault-api";
import { keysFile, readVaultKeys } from "./vault-keys";

export interface RootArgs {
  api: VaultApi;
  /** `https://vault.example.org` */
  address: string;
  /** Folder of the encrypted keys. */
  folder: string;
  identities: () => readonly AgeIdentity[];
}

const progress = z.object({ started: z.boolean(), nonce: z.string(), complete: z.boolean(), encoded_token: z.string() });
const begun = progress.extend({ otp: z.string().min(1) });

/** Vault hands the token over mixed with a one-time password that only the asker knows. */
function decode(encoded: string, otp: string): string {
  const mixed = Buffer.from(encoded, "base64");
  const password = Buffer.from(otp, "utf8");
  return Buffer.from(mixed.map((byte, index) => byte ^ (password[index] ?? 0))).toString("utf8");
}

/**
 * Makes a root token (Vault: "generate-root"). It has no end: revoke it.
 * @param unsealKeys base64
 * @throws HomelabError E_VAULT_ROOT where the keys are not this Vault's, or somebody else began at the same moment
 */
export async function generateRoot(api: VaultApi, address: string, unsealKeys: readonly string[]): Promise<string> {
  const ask = async (method: string, path: string, body?: object): Promise<unknown> =>
    api.ask("make a root token", method, `sys/generate-root/${path}`, body === undefined ? {} : { body });
  // Vault has one attempt at a time. An earlier one was interrupted, or belongs to somebody who must start again.
  if (progress.parse(await ask("GET", "attempt")).started) await ask("DELETE", "attempt");
  const { nonce, otp } = begun.parse(await ask("PUT", "attempt", {}));
  try {
    for (const key of unsealKeys) {
      const answer = progress.parse(await ask("PUT", "update", { key, nonce }));
      if (answer.complete) return decode(answer.encoded_token, otp);
    }
  } catch (cause) {
    if (!(cause instanceof VaultRefusal) || cause.status !== 400) throw cause;
    throw wrongKeys(address, cause);
  } finally {
    // Cancels an incomplete attempt; a complete one has ended by itself.
    await ask("DELETE", "attempt");
  }
  throw wrongKeys(address);
}

const wrongKeys = (address: string, cause?: unknown): HomelabError =>
  new HomelabError("E_VAULT_ROOT", `the stored keys make no root token of Vault at ${address}`, {
    ...(cause === undefined ? {} : { cause }),
    subject: address,
    hint: "they are another Vault's or too few: restore the right file; where somebody else made one at the same moment, run again",
  });

export const revokeToken = async (api: VaultApi, token: string): Promise<void> => {
  await api.ask("revoke a token", "POST", "auth/token/revoke-self", { token });
};

/** A new root token, by the keys in the file of this Vault. */
export async function rootFromKeys({ api, address, folder, identities }: RootArgs): Promise<string> {
  const file = keysFile(folder, address);
  if (!fs.existsSync(file))
    throw new HomelabError("E_VAULT_KEYS_LOST", `${file} is not there, and a root token is made by the keys in it`, {
      subject: file,
      hint: "restore that file from where Vault was first booted",
    });
  return generateRoot(api, address, (await readVaultKeys(file, identities())).unsealKeys);
}

/** Does a piece of work with a root token of its own, which is revoked afterwards, also if the work fails. */
export async function withRoot<T>(args: RootArgs, work: (token: string) => Promise<T>): Promise<T> {
  const token = await rootFromKeys(args);
  try {
    return await work(token);
  } finally {
    await revokeToken(args.api, token);
  }
}
