/**
 * `node bin/secrets/vault.main.js status|unseal|orphans|delete`: the Vault of VAULT_ADDR, for `homelab vault`. A process of
 * its own, since Node reads NODE_EXTRA_CA_CERTS once, at its start. Prints one line of JSON. `orphans` and `delete` use
 * VAULT_TOKEN, the program's own narrow token; paths for `delete` come on standard input, one a line.
 */
import { systemClock } from "../common/clock";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { loadAgeKeys } from "./age-keys";
import { loadSecrets } from "./load";
import { createVaultApi, vaultAddress } from "./vault-api";
import { keysFolder, unsealVault } from "./vault-first-boot";
import { deleteEntries, findOrphans } from "./vault-orphans";

function needed(name: string): string {
  const value = readEnv(name);
  if (value === undefined) throw new HomelabError("E_USAGE", `${name} is not set`, { hint: "`homelab vault` sets it" });
  return value;
}

async function standardInput(): Promise<string[]> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += String(chunk);
  return text.split("\n").filter((line) => line !== "");
}

async function answer(verb: string | undefined): Promise<object> {
  const address = vaultAddress(needed(ENV.vaultAddress));
  const api = createVaultApi(address, systemClock);
  try {
    switch (verb) {
      case "status":
        return await api.status();
      case "unseal":
        return await unsealVault({ api, address, folder: keysFolder(), identities: loadAgeKeys, clock: systemClock });
      case "orphans":
        return { orphans: await findOrphans(api, needed("VAULT_TOKEN"), new Set((await loadSecrets()).keys())) };
      case "delete":
        return { deleted: await deleteEntries(api, needed("VAULT_TOKEN"), new Set((await loadSecrets()).keys()), await standardInput()) };
      default:
        throw new HomelabError("E_USAGE", `there is no ${verb ?? "verb"} here`);
    }
  } finally {
    await api.close();
  }
}

answer(process.argv[2]).then(
  (result) => {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  },
  (thrown: unknown) => {
    process.stderr.write(`${describeError(thrown)}\n`);
    process.exitCode = 1;
  },
);
