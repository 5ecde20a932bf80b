import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { writeFileAtomic } from "../common/files";
import type { AgeIdentity } from "./age";
import { decryptSopsFile, encryptSopsFile } from "./sops-file";
import { readSopsText } from "./sops-folder";

/** What Vault gives at its first boot, and never again. */
export interface VaultKeys {
  /** Until Vault is set up; then it is revoked. */
  rootToken?: string;
  /** Base64, as Vault's API takes them. */
  unsealKeys: readonly string[];
}

const treeSchema = z.strictObject({ init: z.strictObject({ root_token: z.string().min(1).optional(), unseal_keys: z.record(z.string(), z.string().min(1)) }) });

/** Where the keys of a Vault lie: one SOPS file for each address. */
export function keysFile(folder: string, address: string): string {
  return path.join(folder, `${new URL(address).host.replaceAll(":", "-")}.yaml`);
}

/**
 * Stores the keys, encrypted, so that they are there after a power cut: the file appears whole or not at all.
 * @param recipients age recipients; at least one
 */
export function storeVaultKeys(file: string, keys: VaultKeys, recipients: readonly string[], now: Date): void {
  const unseal = Object.fromEntries(keys.unsealKeys.map((key, index) => [`key${index + 1}`, key]));
  writeFileAtomic(
    file,
    encryptSopsFile({ init: { ...(keys.rootToken === undefined ? {} : { root_token: keys.rootToken }), unseal_keys: unseal } }, recipients, now),
    0o600,
  );
}

/** The keys of a file. @throws HomelabError as decryptSopsFile does, and E_VAULT_KEYS where it holds something else */
export async function readVaultKeys(file: string, identities: readonly AgeIdentity[]): Promise<VaultKeys> {
  const tree = treeSchema.safeParse(await decryptSopsFile(file, readSopsText(path.dirname(file), path.basename(file), file), identities));
  if (!tree.success) throw new HomelabError("E_VAULT_KEYS", `${file} does not hold a Vault's keys`, { subject: file, hint: "restore it from a backup" });
  const { root_token: rootToken, unseal_keys: unsealKeys } = tree.data.init;
  return { ...(rootToken === undefined ? {} : { rootToken }), unsealKeys: Object.values(unsealKeys) };
}

/** Puts an older Vault's keys aside under a name of their own; keys are never deleted or overwritten. */
export function setAside(file: string, now: Date): string {
  const stamp = now.toISOString().replace(/[:.]/g, "-");
  const target = path.join(path.dirname(file), `${path.basename(file, ".yaml")}.replaced-${stamp}-${crypto.randomBytes(2).toString("hex")}.yaml`);
  fs.renameSync(file, target);
  return target;
}
