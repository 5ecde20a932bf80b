/** The suite against a real Vault or OpenBao, whose address is given (docs/real-parts.md). */
import * as fs from "node:fs";
import { createHttpClient } from "../../../common/http";
import { givenVaultAddress, givenVaultTokenFile } from "../../support/given-vault";
import { skippedByName } from "../../support/skips";
import { vaultSuite } from "./suite";

const address = givenVaultAddress() ?? "";
const tokenFile = givenVaultTokenFile();

// Without one, the same tests run on the part `vault` alone (real.real.test.ts): so they are counted there, and here once.
if (address === "")
  skippedByName(
    "the suite on a Vault of somebody's own",
    "no Vault or OpenBao is given in HOMELAB_TEST_VAULT_ADDR (docs/real-parts.md); the same tests run on the part vault",
  );
else
  describe(`the Vault at ${address}`, () => {
    vaultSuite(async () => {
      const token = tokenFile === undefined ? undefined : fs.readFileSync(tokenFile, "utf8").trim();
      const http = createHttpClient(address);
      // Asks whether the auth method `kubernetes` is built in. Without a token it cannot be asked: then it is assumed, since all but minimal builds have it.
      const asked =
        token === undefined
          ? undefined
          : await http.request({ method: "GET", url: `${address}/v1/sys/plugins/catalog/auth/kubernetes`, headers: { "x-vault-token": token } });
      await http.close();
      return {
        address,
        token,
        kubernetes: asked === undefined || asked.status === 200,
        wraps: true,
        reach: () => () => undefined,
        close: async () => undefined,
      };
    });
  });
