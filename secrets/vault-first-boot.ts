/**
 * Vault's first boot: initialise, store the keys encrypted, unseal. May be cut at any point and run again.
 *
 *   state of Vault      keys on disk   what a run does
 *   not initialised     none           initialise → store → unseal
 *   not initialised     older ones     put those aside (a Vault that was rebuilt), then as above
 *   initialised         there          unseal if sealed
 *   initialised         none           stop: the keys were made elsewhere, or lost between Vault's answer and the disk
 *
 * Vault answers an initialisation once. Whatever can fail on our side (recipients, folder, space for the file) is therefore
 * tried before it, and between its answer and the renamed file there is only encryption and a write.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Clock } from "../common/clock";
import { ENV, readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { writeFileAtomic } from "../common/files";
import { projectRoot } from "../common/paths";
import type { AgeIdentity } from "./age";
import { type VaultApi, VaultRefusal } from "./vault-api";
import { keysFile, readVaultKeys, setAside, storeVaultKeys, type VaultKeys } from "./vault-keys";
import { whileLockedAsync } from "./write-lock";

export interface FirstBootArgs {
  api: VaultApi;
  /** `https://vault.example.org` */
  address: string;
  /** Folder for the encrypted keys. */
  folder: string;
  recipients: readonly string[];
  /** Private keys, to read what an earlier run stored. Asked for only when there is something to read. */
  identities: () => readonly AgeIdentity[];
  clock: Clock;
  /** Runs work that no signal may cut. */
  uninterrupted: <T>(work: () => Promise<T>) => Promise<T>;
}

const REACHABLE_MS = 10 * 60_000;
const ACTIVE_MS = 2 * 60_000;

function noPlace(folder: string, cause: unknown): HomelabError {
  return new HomelabError("E_VAULT_KEYS_DIR", `Vault's keys cannot be stored in ${folder}`, {
    cause,
    subject: folder,
    hint: "make room there, or correct its permissions; Vault was not touched",
  });
}

function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw noPlace(folder, cause);
  }
}

/** Proves that keys can be stored before Vault makes any: same folder, same recipients, same way. */
function rehearseStore(args: FirstBootArgs): void {
  const trial = path.join(args.folder, `.trial-${crypto.randomBytes(4).toString("hex")}.yaml`);
  try {
    storeVaultKeys(trial, { rootToken: "trial", unsealKeys: ["trial"] }, args.recipients, new Date(args.clock.now()));
    fs.rmSync(trial);
  } catch (cause) {
    if (cause instanceof HomelabError) throw cause;
    throw noPlace(args.folder, cause);
  }
}

const markerOf = (file: string): string => `${file}.initialising`;

async function initialise(args: FirstBootArgs, file: string): Promise<VaultKeys> {
  if (fs.existsSync(file)) setAside(file, new Date(args.clock.now()));
  // Tells a later run that Vault may have made keys that were not stored; see keysLost.
  writeFileAtomic(markerOf(file), `${new Date(args.clock.now()).toISOString()}\n`);
  return await args.uninterrupted(async () => {
    const keys = await args.api.initialise().catch((thrown: unknown) => {
      if (!(thrown instanceof VaultRefusal) || thrown.status !== 400) throw thrown;
      // Vault made no keys for this call. Without the marker, the next run does not report them as lost.
      fs.rmSync(markerOf(file), { force: true });
      throw new HomelabError("E_VAULT_BOOTED_ELSEWHERE", `Vault at ${args.address} was initialised by somebody else at the same moment`, {
        cause: thrown,
        subject: args.address,
        hint: `take over the keys that they stored, as ${file}; this run made none`,
      });
    });
    storeVaultKeys(file, keys, args.recipients, new Date(args.clock.now()));
    fs.rmSync(markerOf(file), { force: true });
    return keys;
  });
}

function keysLost(args: UnsealArgs, file: string): HomelabError {
  const cut = fs.existsSync(markerOf(file));
  return new HomelabError(
    "E_VAULT_KEYS_LOST",
    cut
      ? `Vault at ${args.address} was initialised by a run that was cut before it could store the keys; it holds nothing yet`
      : `Vault at ${args.address} is initialised, and ${file} is not there`,
    {
      subject: file,
      hint: cut
        ? "delete Vault's volume claim (kubectl -n vault delete pvc data-vault-0, and its pod) and run again: a new Vault starts empty"
        : "restore that file from where Vault was first booted",
    },
  );
}

/** Folder of the encrypted keys: `secrets/vault` of the checkout, or HOMELAB_VAULT_KEYS_DIR. */
export const keysFolder = (): string => readEnv(ENV.vaultKeysDir) ?? path.join(projectRoot(), "secrets", "vault");

type UnsealArgs = Pick<FirstBootArgs, "api" | "address" | "folder" | "identities" | "clock">;

/** Unseals a Vault that was restarted. @returns whether it was sealed */
export async function unsealVault(args: UnsealArgs): Promise<{ wasSealed: boolean }> {
  const file = keysFile(args.folder, args.address);
  const { initialized, sealed } = await args.api.status();
  if (!initialized)
    throw new HomelabError("E_VAULT_NOT_INITIALISED", `Vault at ${args.address} was never initialised`, {
      subject: args.address,
      hint: "`homelab up` initialises it, in the stack that has the module `vault`",
    });
  if (!sealed) return { wasSealed: false };
  if (!fs.existsSync(file)) throw keysLost(args, file);
  await unseal(args, await readVaultKeys(file, args.identities()), file);
  await args.api.waitUntilActive(ACTIVE_MS);
  return { wasSealed: true };
}

async function unseal(args: UnsealArgs, keys: VaultKeys, file: string): Promise<void> {
  let cause: unknown;
  try {
    for (const key of keys.unsealKeys) {
      if (!(await args.api.unseal(key)).sealed) return;
    }
  } catch (thrown) {
    if (!(thrown instanceof VaultRefusal) || thrown.status !== 400) throw thrown;
    cause = thrown;
  }
  throw new HomelabError("E_VAULT_UNSEAL", `the keys in ${file} do not unseal Vault at ${args.address}`, {
    ...(cause === undefined ? {} : { cause }),
    subject: file,
    hint: "they are another Vault's, or too few: restore the right file",
  });
}

/**
 * Brings Vault to where it takes requests. One process at a time for each folder of keys: of two, the second could put the
 * first one's keys aside as an older Vault's.
 * @returns its keys, and its root token until it was set up (vault-set-up.ts)
 * @throws HomelabError E_SECRETS_LOCKED while another process does the same, and the errors of the table above
 */
export async function firstBoot(args: FirstBootArgs): Promise<VaultKeys> {
  const file = keysFile(args.folder, args.address);
  await args.api.waitUntilReachable(REACHABLE_MS);
  makeFolder(args.folder);
  return await whileLockedAsync(path.join(args.folder, ".lock"), () => boot(args, file));
}

async function boot(args: FirstBootArgs, file: string): Promise<VaultKeys> {
  const { initialized } = await args.api.status();
  let keys: VaultKeys;
  if (!initialized) {
    rehearseStore(args);
    keys = await initialise(args, file);
  } else if (fs.existsSync(file)) {
    keys = await readVaultKeys(file, args.identities());
    // A run that was cut after the keys were stored left its marker.
    fs.rmSync(markerOf(file), { force: true });
  } else throw keysLost(args, file);
  if ((await args.api.status()).sealed) await unseal(args, keys, file);
  await args.api.waitUntilActive(ACTIVE_MS);
  return keys;
}
