/**
 * `node bin/secrets/vault-set-up.main.js`: gives the Vault of VAULT_ADDR the policy on standard input (JSON, `name` and `policy`),
 * and prints {"token": …}, a token of that policy, and nothing else. No root token is left. Run by the program
 * (components/platform/vault/vault.ts).
 */
import { z } from "zod";
import { systemClock } from "../common/clock";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { readStdin } from "../common/stdin";
import { loadAgeKeys } from "./age-keys";
import { recipientsFor } from "./sops-config";
import { createVaultApi, vaultAddress } from "./vault-api";
import { keysFolder, unsealVault } from "./vault-first-boot";
import { setUpVault } from "./vault-set-up";

const taskSchema = z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9-]*$/), policy: z.string().min(1) });

async function task(): Promise<z.infer<typeof taskSchema>> {
  const text = await readStdin();
  try {
    return taskSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HomelabError("E_USAGE", "a policy's name and text are expected on standard input, as JSON", {
      cause,
      hint: "`homelab up` gives them, in the stack that has the module `vault`",
    });
  }
}

async function main(): Promise<void> {
  const given = readEnv(ENV.vaultAddress);
  if (given === undefined)
    throw new HomelabError("E_USAGE", `${ENV.vaultAddress} is not set`, { hint: "set it to the address of Vault, such as https://vault.example.org" });
  const address = vaultAddress(given);
  const { name, policy } = await task();
  const api = createVaultApi(address, systemClock);
  const keys = { api, address, folder: keysFolder(), identities: loadAgeKeys };
  try {
    // The pod may have been restarted since the first boot. It is sealed then, and nothing else in this run unseals it.
    await unsealVault({ ...keys, clock: systemClock });
    const token = await setUpVault({
      ...keys,
      recipients: recipientsFor("secrets/vault/keys.yaml"),
      now: () => new Date(systemClock.now()),
      name,
      policy,
    });
    process.stdout.write(`${JSON.stringify({ token })}\n`);
  } finally {
    await api.close();
  }
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    process.stderr.write(`${describeError(thrown)}\n`);
    process.exit(1);
  },
);
