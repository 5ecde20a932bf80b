/**
 * The same of a real Vault or OpenBao, which somebody gives: HOMELAB_TEST_VAULT_ADDR, and HOMELAB_TEST_VAULT_TOKEN_FILE with a
 * root token where it is initialised already (docs/real-parts.md).
 */
import * as fs from "node:fs";
import { createHttpClient } from "../../../common/http";
import { vaultSuite } from "./suite";

const address = process.env["HOMELAB_TEST_VAULT_ADDR"] ?? "";
const tokenFile = process.env["HOMELAB_TEST_VAULT_TOKEN_FILE"] ?? "";

const why =
  "vault: HOMELAB_TEST_VAULT_ADDR is not set; start a throwaway Vault or OpenBao and give its address, and if it is initialised a root token in HOMELAB_TEST_VAULT_TOKEN_FILE";
const suite = address === "" ? describe.skip : describe;

suite(address === "" ? `a given Vault [skipped: ${why}]` : `the Vault at ${address}`, () => {
  vaultSuite(async () => {
    const token = tokenFile === "" ? undefined : fs.readFileSync(tokenFile, "utf8").trim();
    const http = createHttpClient(address);
    // Every Vault is asked by name; one that cannot tell has the method, as all but the smallest builds have.
    const asked =
      token === undefined
        ? undefined
        : await http.request({ method: "GET", url: `${address}/v1/sys/plugins/catalog/auth/kubernetes`, headers: { "x-vault-token": token } });
    await http.close();
    return { address, token, kubernetes: asked === undefined || asked.status === 200, wraps: true, reach: () => undefined, close: async () => undefined };
  });
});
