import * as fs from "node:fs";
import { ENV, readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { type AgeIdentity, parseIdentity } from "./age";

/** The keys in the text of a key file: one on each line, beside comments. */
export function parseKeyFile(text: string): AgeIdentity[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseIdentity);
}

/**
 * The private keys of the environment: SOPS_AGE_KEY, then those of SOPS_AGE_KEY_FILE. No other place is searched, so that a
 * run never depends on what happens to lie in somebody's home.
 * @param keyFile file to read instead of that of SOPS_AGE_KEY_FILE
 * @throws HomelabError E_AGE_KEY_MISSING, E_AGE_KEY_FILE or E_AGE_KEY
 */
export function loadAgeKeys(keyFile?: string): AgeIdentity[] {
  const identities = parseKeyFile(readEnv(ENV.ageKey) ?? "");
  const file = keyFile ?? readEnv(ENV.ageKeyFile);
  if (file !== undefined) {
    try {
      identities.push(...parseKeyFile(fs.readFileSync(file, "utf8")));
    } catch (cause) {
      if (cause instanceof HomelabError) throw cause;
      throw new HomelabError("E_AGE_KEY_FILE", `the age key file ${file} cannot be read`, {
        cause,
        subject: file,
        hint: `correct ${ENV.ageKeyFile} or the file's permissions`,
      });
    }
  }
  if (identities.length > 0) return identities;
  throw new HomelabError("E_AGE_KEY_MISSING", "there is no age key to decrypt the secrets with", {
    hint: `set ${ENV.ageKeyFile} to your key file (in the lab: secrets/lab-only.agekey)`,
  });
}
