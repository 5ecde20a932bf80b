/** The suite against a real Vault or OpenBao, whose address is given (docs/real-parts.md). */
import * as fs from "node:fs";
import { createHttpClient } from "../../../common/http";
import { givenVaultAddress, givenVaultTokenFile } from "../../support/given-vault";
import { vaultSuite } from "./suite";

const address = givenVaultAddress() ?? "";
const tokenFile = givenVaultTokenFile();

const why =
  "vault: none is given; start a throwaway Vault or OpenBao and give its address in HOMELAB_TEST_VAULT_ADDR (or VAULT_ADDR, on this machine), and if it is initialised a root token in HOMELAB_TEST_VAULT_TOKEN_FILE";
const suite = address === "" ? describe.skip : describe;

suite(address === "" ? `a given Vault [skipped: ${why}]` : `the Vault at ${address}`, () => {
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
      resolvesEncodedDots: true,
      reach: () => () => undefined,
      close: async () => undefined,
    };
  });
});
