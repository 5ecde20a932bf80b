/**
 * `node bin/secrets/vault-first-boot.main.js`: brings the Vault of VAULT_ADDR to where it takes requests, and prints
 * {"id": …}, the id of this Vault (a rebuilt one has another), and nothing else on standard output. Run by the program (components/platform/vault/vault.ts).
 */
import { systemClock } from "../common/clock";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { loadAgeKeys } from "./age-keys";
import { recipientsFor } from "./sops-config";
import { createVaultApi, vaultAddress } from "./vault-api";
import { firstBoot, keysFolder } from "./vault-first-boot";

/** Set from the request for Vault's keys until they are stored. A signal that arrives meanwhile is handled afterwards. */
let busy = false;
let waiting: NodeJS.Signals | undefined;

const INTERRUPTED = 130;

function onSignal(signal: NodeJS.Signals): void {
  if (!busy) process.exit(INTERRUPTED);
  waiting = signal;
}

async function uninterrupted<T>(work: () => Promise<T>): Promise<T> {
  busy = true;
  try {
    return await work();
  } finally {
    busy = false;
    if (waiting !== undefined) process.exit(INTERRUPTED);
  }
}

async function main(): Promise<void> {
  const given = readEnv(ENV.vaultAddress);
  if (given === undefined)
    throw new HomelabError("E_USAGE", `${ENV.vaultAddress} is not set`, { hint: `set it to the address of Vault, such as https://vault.example.org` });
  const address = vaultAddress(given);
  const folder = keysFolder();
  const api = createVaultApi(address, systemClock);
  try {
    await firstBoot({
      api,
      address,
      folder,
      recipients: recipientsFor("secrets/vault/keys.yaml"),
      identities: loadAgeKeys,
      clock: systemClock,
      uninterrupted,
    });
    process.stdout.write(`${JSON.stringify({ id: await api.clusterId() })}\n`);
  } finally {
    await api.close();
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    process.stderr.write(`${describeError(thrown)}\n`);
    process.exit(1);
  },
);
