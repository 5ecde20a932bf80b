/** A Vault or OpenBao that somebody started for the tests to use up (docs/real-parts.md). */
import { readEnv } from "../../common/env";

const isLoopback = (address: string): boolean => URL.canParse(address) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(address).hostname);

/**
 * Its address: HOMELAB_TEST_VAULT_ADDR; or VAULT_ADDR where that is on this machine, since elsewhere it is more likely one that is
 * in use. Undefined where none is given.
 */
export function givenVaultAddress(): string | undefined {
  const usual = readEnv("VAULT_ADDR");
  return readEnv("HOMELAB_TEST_VAULT_ADDR") ?? (usual !== undefined && isLoopback(usual) ? usual : undefined);
}

/** A file with a root token, of one that is initialised already. The usual VAULT_TOKEN is never taken. */
export const givenVaultTokenFile = (): string | undefined => readEnv("HOMELAB_TEST_VAULT_TOKEN_FILE");
