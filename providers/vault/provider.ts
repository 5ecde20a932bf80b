import { z } from "zod";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { createHttpClient, readCaFile } from "../../common/http";
import { checkProviderConfig, jsonSetting, parseProviderConfig } from "../sdk/config";
import type { ProviderDefinition } from "../sdk/resource";
import { sdkVersion } from "../sdk/version";
import { VaultClient } from "./client";
import { audit } from "./resources/audit";
import { authBackend } from "./resources/auth-backend";
import { kubernetesAuthConfig, kubernetesAuthRole } from "./resources/kubernetes-auth";
import { kvSecret } from "./resources/kv-secret";
import { mount } from "./resources/mount";
import { policy } from "./resources/policy";
import { token } from "./resources/token";

const RESOURCES = new Map(
  [mount, kvSecret, policy, token, authBackend, kubernetesAuthConfig, kubernetesAuthRole, audit].map((resource) => [resource.token, resource]),
);

const configSchema = z.strictObject({
  /** Default: VAULT_ADDR. */
  address: z.string().optional(),
  /** Default: VAULT_TOKEN. */
  token: z.string().optional(),
  /** PEM file of the authorities to trust, in place of Node's roots and NODE_EXTRA_CA_CERTS. */
  caCertFile: z.string().optional(),
  skipTlsVerify: jsonSetting(z.boolean()).optional(),
  maxRetries: jsonSetting(z.number().int().min(0)).optional(),
  /** Has no effect here: the given token is always used itself, without a child token. */
  skipChildToken: jsonSetting(z.boolean()).optional(),
  maxLeaseTtlSeconds: jsonSetting(z.number()).optional(),
  tokenName: z.string().optional(),
  skipGetVaultVersion: jsonSetting(z.boolean()).optional(),
  setNamespaceFromToken: jsonSetting(z.boolean()).optional(),
  vaultVersionOverride: z.string().optional(),
});

const LOGIN = "log in before and give the token";
const REFUSED: Record<string, string> = {
  namespace: "namespaces are part of Vault Enterprise",
  caCertDir: "give caCertFile",
  tlsServerName: "the address must be of the certificate's name",
  addAddressToEnv: "no child process reads it",
  clientAuth: "client certificates are not supported",
  headers: "further headers are not supported",
  maxRetriesCcc: "it is about Vault Enterprise",
  ...Object.fromEntries(
    ["", "Aws", "Azure", "Cert", "Gcp", "Jwt", "Kerberos", "Oci", "Oidc", "Radius", "TokenFile", "Userpass"].map((method) => [`authLogin${method}`, LOGIN]),
  ),
};

/** Package `vault`: one client for one server and token. */
export const provider: ProviderDefinition<VaultClient> = {
  name: "vault",
  version: sdkVersion("@pulumi/vault"),
  checkConfig: (config) => checkProviderConfig(configSchema, config, REFUSED),
  async configure({ config }) {
    const settings = parseProviderConfig("vault", configSchema, config);
    const address = settings.address ?? readEnv("VAULT_ADDR");
    const given = settings.token ?? readEnv("VAULT_TOKEN");
    if (address === undefined)
      throw new HomelabError("E_VAULT_ADDRESS", "provider vault: no address", { hint: "set `address` of the provider, or VAULT_ADDR" });
    if (given === undefined) throw new HomelabError("E_VAULT_TOKEN", "provider vault: no token", { hint: "set `token` of the provider, or VAULT_TOKEN" });
    const base = address.replace(/\/+$/, "");
    const http = createHttpClient(base, {
      ...(settings.caCertFile === undefined ? {} : { ca: readCaFile(settings.caCertFile) }),
      verify: settings.skipTlsVerify !== true,
    });
    return new VaultClient({ address: base, token: given, maxRetries: settings.maxRetries ?? 2, http });
  },
  tokens: [...RESOURCES.keys()],
  resource: (type) => RESOURCES.get(type),
  close: (client) => client.close(),
};
