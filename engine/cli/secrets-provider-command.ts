/** `stack change-secrets-provider passphrase`: the same secrets under another passphrase. */
import * as fs from "node:fs";
import { lockStack } from "../backend/locks";
import { mapLeaves } from "../config/value-path";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { PassphraseSecrets } from "../secrets/passphrase";
import type { Flags } from "./flags";
import { cachingCodec, loadSnapshot, openStack, renderDeployment } from "./stack-context";
import { ask, isInteractive, print } from "./terminal";

/** Asked for twice at a terminal; otherwise the first line of standard input, as the CLI has it. */
async function newPassphrase(flags: Flags): Promise<string> {
  if (!isInteractive(flags)) {
    const [line = ""] = fs.readFileSync(0, "utf8").split("\n");
    if (line.trim() === "") throw new CliError("the new passphrase is read from standard input, which was empty", EXIT_CODE.usage);
    return line.trim();
  }
  for (;;) {
    const first = await ask("Enter your new passphrase to protect config/secrets: ", true);
    const second = await ask("Re-enter your passphrase to confirm: ", true);
    if (first === undefined || second === undefined) throw new CliError("no passphrase was entered");
    if (first === second) return first;
    print("Passphrases do not match");
  }
}

export async function changeSecretsProvider(flags: Flags): Promise<number> {
  const [provider = ""] = flags.words;
  if (!["passphrase", "default"].includes(provider)) throw unsupported(`secrets provider ${provider}`);
  const { project, backend, stack, settings } = await openStack(flags);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const latest = await backend.load(project.name, stack);
    // All is decrypted before anything is written: a wrong old passphrase touches nothing.
    const snapshot = loadSnapshot(latest);
    const config = Object.entries(settings.values());
    const old = settings.secrets();
    const plain = config.map(([key, value]) => [key, mapLeaves(value, (ciphertext) => ({ secure: old.decrypt(ciphertext) }))] as const);
    const next = PassphraseSecrets.create(await newPassphrase(flags));
    for (const [key, value] of plain)
      settings.set(
        key,
        mapLeaves(value, (text) => ({ secure: next.encrypt(text) })),
      );
    settings.salt = next.salt;
    // The write of the state decides. Until then the old settings hold; after it, the next command that opens the stack completes the change.
    settings.prepare();
    if (latest !== undefined) await backend.save(project.name, stack, renderDeployment(snapshot, cachingCodec(next), next.salt, latest));
    settings.commit();
  } finally {
    await unlock();
  }
  print(`Successfully changed the passphrase of stack '${stack}'`);
  return EXIT_CODE.ok;
}
