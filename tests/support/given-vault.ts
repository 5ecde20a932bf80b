/** A throwaway Vault or OpenBao that somebody started for the tests (docs/real-parts.md). */
import { readEnv } from "../../common/env";

const isLoopback = (address: string): boolean => URL.canParse(address) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(address).hostname);

/**
 * Its address: HOMELAB_TEST_VAULT_ADDR, or else VAULT_ADDR if that is on this machine. A VAULT_ADDR elsewhere is more likely a Vault in
 * use. Undefined if none is given.
 */
export function givenVaultAddress(): string | undefined {
  const usual = readEnv("VAULT_ADDR");
  return readEnv("HOMELAB_TEST_VAULT_ADDR") ?? (usual !== undefined && isLoopback(usual) ? usual : undefined);
}

/** A file with a root token, for a Vault that is already initialised. VAULT_TOKEN is never used. */
export const givenVaultTokenFile = (): string | undefined => readEnv("HOMELAB_TEST_VAULT_TOKEN_FILE");
