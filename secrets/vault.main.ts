/**
 * `node bin/secrets/vault.main.js status|unseal|root|revoke|orphans|delete`: the Vault of VAULT_ADDR, for `homelab vault`. A
 * process of its own, since Node reads NODE_EXTRA_CA_CERTS once, at its start. Prints one line of JSON. `orphans` and `delete` use
 * VAULT_TOKEN, or else a root token that is made for them and revoked; what `delete` and `revoke` are about comes on standard input, one a line.
 */
import { systemClock } from "../common/clock";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { nearest } from "../common/nearest";
import { loadAgeKeys } from "./age-keys";
import { loadSecrets } from "./load";
import { createVaultApi, vaultAddress } from "./vault-api";
import { keysFolder, unsealVault } from "./vault-first-boot";
import { deleteEntries, findOrphans } from "./vault-orphans";
import { revokeToken, rootFromKeys, withRoot } from "./vault-root";

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

const VERBS = ["status", "unseal", "root", "revoke", "orphans", "delete"] as const;
type Verb = (typeof VERBS)[number];

/** @throws HomelabError E_USAGE */
function verbOf(word: string | undefined): Verb {
  const verb = VERBS.find((one) => one === word);
  if (verb !== undefined) return verb;
  const meant = word === undefined ? undefined : nearest(word, VERBS);
  throw new HomelabError("E_USAGE", word === undefined ? "a verb is needed" : `there is no verb "${word}"`, {
    hint: meant === undefined ? `take one of: ${VERBS.join(", ")}` : `did you mean ${meant}? All of them: ${VERBS.join(", ")}`,
  });
}

async function answer(word: string | undefined): Promise<object> {
  const verb = verbOf(word);
  const address = vaultAddress(needed(ENV.vaultAddress));
  const api = createVaultApi(address, systemClock);
  const given = readEnv("VAULT_TOKEN");
  const keys = { api, address, folder: keysFolder(), identities: loadAgeKeys };
  const withToken = <T>(work: (token: string) => Promise<T>): Promise<T> => (given === undefined ? withRoot(keys, work) : work(given));
  try {
    switch (verb) {
      case "status":
        return await api.status();
      case "unseal":
        return await unsealVault({ ...keys, clock: systemClock });
      case "root":
        return { token: await rootFromKeys(keys) };
      case "revoke": {
        const [token = ""] = await standardInput();
        await revokeToken(api, token);
        return {};
      }
      // Before a token is made: a file that does not open stops here.
      case "orphans": {
        const inGit = new Set((await loadSecrets()).keys());
        return { orphans: await withToken((token) => findOrphans(api, token, inGit)) };
      }
      case "delete": {
        const inGit = new Set((await loadSecrets()).keys());
        const paths = await standardInput();
        return { deleted: await withToken((token) => deleteEntries(api, token, inGit, paths)) };
      }
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
