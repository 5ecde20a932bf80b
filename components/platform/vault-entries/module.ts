import { defineModule, noOptions } from "../module";

export const vaultEntries = defineModule({
  name: "vault-entries",
  summary: "brings the common entries of secrets/ to Vault, one resource each; what is removed there stays in Vault",
  options: noOptions,
  parts: () => ({ needs: ["vault"] }),
  build: () => (require("./vault-entries") as typeof import("./vault-entries")).buildVaultEntries,
});
