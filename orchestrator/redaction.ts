import { ENV } from "../common/env";
import { loadSecrets } from "../secrets/load";
import type { Session } from "./session";

/**
 * Decrypts the secrets of the checkout, in memory, and gives each to the redactor before anything can say it. Also the first
 * check of a run: without a key that opens them, nothing starts.
 * @param env the site's environment, for the age key of the lab
 */
export async function registerSecrets(session: Session, env: Readonly<Record<string, string>>): Promise<void> {
  const ageKeyFile = env[ENV.ageKeyFile];
  await loadSecrets({ register: (value) => session.registerSecret(value), ...(ageKeyFile === undefined ? {} : { ageKeyFile }) });
}
