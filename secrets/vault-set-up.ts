/**
 * What needs the root token of Vault's first boot: the policy of the stack that manages Vault, and that stack's token. Then the root
 * token is revoked, and taken out of the file of keys. May be cut at any point and run again: what an earlier run made is
 * written again, and its token revoked.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import type { AgeIdentity } from "./age";
import { type VaultApi, VaultRefusal } from "./vault-api";
import { keysFile, readVaultKeys, storeVaultKeys } from "./vault-keys";
import { generateRoot, revokeToken } from "./vault-root";
import { whileLockedAsync } from "./write-lock";

export interface SetUpArgs {
  api: VaultApi;
  address: string;
  /** Folder of the encrypted keys. */
  folder: string;
  recipients: readonly string[];
  identities: () => readonly AgeIdentity[];
  now: () => Date;
  /** Name of the policy, which is the token's name too. */
  name: string;
  /** The policy's text. */
  policy: string;
}

/**
 * Ten years: the token lies in the state of a stack that may not be touched for long, and nothing renews it there. It is
 * replaced, and the one before revoked, whenever this runs.
 */
const PERIOD = "87600h";

const tokenAnswer = z.object({ auth: z.object({ client_token: z.string().min(1), accessor: z.string() }) });
const keysAnswer = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const lookupAnswer = z.object({ data: z.object({ display_name: z.string() }) });

/** Revokes the tokens of earlier runs: their stack's state has the new one from now on. */
async function revokeOthers({ api, name }: SetUpArgs, root: string, kept: string): Promise<void> {
  const { keys } = keysAnswer.parse(await api.ask("list tokens", "GET", "auth/token/accessors?list=true", { token: root })).data;
  for (const accessor of keys) {
    if (accessor === kept) continue;
    let found: unknown;
    try {
      found = await api.ask("look at a token", "POST", "auth/token/lookup-accessor", { token: root, body: { accessor } });
    } catch (thrown) {
      // It ended since it was listed.
      if (thrown instanceof VaultRefusal && [400, 403, 404].includes(thrown.status)) continue;
      throw thrown;
    }
    if (lookupAnswer.parse(found).data.display_name === `token-${name}`)
      await api.ask("revoke a token", "POST", "auth/token/revoke-accessor", { token: root, body: { accessor } });
  }
}

async function rootOf(args: SetUpArgs, file: string): Promise<{ root: string; unsealKeys: readonly string[]; file: "has it" | "has a dead one" | "has none" }> {
  if (!fs.existsSync(file))
    throw new HomelabError("E_VAULT_KEYS_LOST", `${file} is not there, and Vault at ${args.address} is set up by the keys in it`, {
      subject: file,
      hint: "restore that file from where Vault was first booted",
    });
  const { rootToken, unsealKeys } = await readVaultKeys(file, args.identities());
  if (rootToken !== undefined && (await args.api.accepts(rootToken))) return { root: rootToken, unsealKeys, file: "has it" };
  return { root: await generateRoot(args.api, args.address, unsealKeys), unsealKeys, file: rootToken === undefined ? "has none" : "has a dead one" };
}

async function setUp(args: SetUpArgs, file: string): Promise<string> {
  const { api, name } = args;
  const { root, unsealKeys, file: stored } = await rootOf(args, file);
  const ask = (what: string, method: string, at: string, body: object): Promise<unknown> => api.ask(what, method, at, { token: root, body });
  let made: z.infer<typeof tokenAnswer>["auth"];
  try {
    await ask("make a policy", "PUT", `sys/policies/acl/${name}`, { policy: args.policy });
    // Vault's own limit for every token is 32 days.
    await ask("set how long tokens may live", "POST", "sys/auth/token/tune", { max_lease_ttl: PERIOD });
    const token = { policies: [name], no_default_policy: true, no_parent: true, renewable: true, period: PERIOD, display_name: name };
    made = tokenAnswer.parse(await ask("make a token", "POST", "auth/token/create", token)).auth;
    await revokeOthers(args, root, made.accessor);
  } finally {
    // A root token in the file of keys is revoked at the end only, so that a run after an interruption can use it.
    if (stored !== "has it") await revokeToken(api, root);
  }
  if (stored === "has it") await revokeToken(api, root);
  if (stored !== "has none") storeVaultKeys(file, { unsealKeys }, args.recipients, args.now());
  return made.client_token;
}

/**
 * @returns a token of the policy, and of nothing else
 * @throws HomelabError E_SECRETS_LOCKED while another process does the same, E_VAULT_KEYS_LOST, E_VAULT_ROOT
 */
export async function setUpVault(args: SetUpArgs): Promise<string> {
  return await whileLockedAsync(path.join(args.folder, ".lock"), () => setUp(args, keysFile(args.folder, args.address)));
}
