/** The suite against HashiCorp's own Vault, of the version in build/real-parts.json. */
import { describeReal } from "../../support/real-parts";
import { startRealVault } from "../../support/real-vault";
import { vaultSuite } from "./suite";

describeReal(["vault"], "the real Vault", (pathOf) => {
  vaultSuite(async () => {
    const vault = await startRealVault(pathOf("vault"));
    return {
      address: vault.address,
      token: undefined,
      kubernetes: true,
      wraps: true,
      reach: () => () => undefined,
      close: () => vault.stop(),
    };
  });
});
