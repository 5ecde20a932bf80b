import { z } from "zod";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { createHttpClient } from "../../common/http";
import { checkProviderConfig, jsonSetting, parseProviderConfig } from "../sdk/config";
import type { ProviderDefinition } from "../sdk/resource";
import { sdkVersion } from "../sdk/version";
import { PveClient } from "./client";
import { fileLegacy } from "./file-legacy";
import { bridge } from "./network/bridge";
import { storageTypes } from "./storage/types";
import { vmLegacy } from "./vm/vm-legacy";

const RESOURCES = new Map([vmLegacy, fileLegacy, bridge, ...storageTypes].map((resource) => [resource.token, resource]));

const configSchema = z.strictObject({
  /** `https://10.20.0.248:8006`; default: PROXMOX_VE_ENDPOINT. */
  endpoint: z.string().optional(),
  /** `user@realm!name=secret`; default: PROXMOX_VE_API_TOKEN. */
  apiToken: z.string().optional(),
  /** Takes any certificate. Default: PROXMOX_VE_INSECURE, else false. */
  insecure: jsonSetting(z.boolean()).optional(),
  /** Node's own minimum (1.2) holds. */
  minTls: z.enum(["", "1.2", "1.3"]).optional(),
  /** Only uploads need them; nothing here uploads or speaks SSH to a node. */
  ssh: jsonSetting(z.record(z.string(), z.unknown())).optional(),
  tmpDir: z.string().optional(),
});

const REFUSED: Record<string, string> = {
  username: "give apiToken",
  password: "give apiToken",
  otp: "give apiToken",
  authTicket: "give apiToken",
  csrfPreventionToken: "give apiToken",
  randomVmIds: "ids are the next free ones",
  randomVmIdStart: "ids are the next free ones",
  randomVmIdEnd: "ids are the next free ones",
};

/** Package `proxmoxve`: VMs, templates, downloaded images, bridges and storages of Proxmox VE 8. */
export const provider: ProviderDefinition<PveClient> = {
  name: "proxmoxve",
  version: sdkVersion("@muhlba91/pulumi-proxmoxve"),
  checkConfig: (config) => checkProviderConfig(configSchema, config, REFUSED),
  async configure({ config }) {
    const settings = parseProviderConfig("proxmoxve", configSchema, config);
    const endpoint = settings.endpoint ?? readEnv("PROXMOX_VE_ENDPOINT");
    const apiToken = settings.apiToken ?? readEnv("PROXMOX_VE_API_TOKEN");
    if (endpoint === undefined)
      throw new HomelabError("E_PROXMOX_ENDPOINT", "provider proxmoxve: no endpoint", { hint: "set `endpoint` of the provider, or PROXMOX_VE_ENDPOINT" });
    if (apiToken === undefined)
      throw new HomelabError("E_PROXMOX_TOKEN", "provider proxmoxve: no apiToken", { hint: "set `apiToken` of the provider, or PROXMOX_VE_API_TOKEN" });
    const insecure = settings.insecure ?? readEnv("PROXMOX_VE_INSECURE") === "true";
    const base = endpoint.replace(/\/+$/, "").replace(/\/api2\/json$/, "");
    return new PveClient({ endpoint: base, apiToken, http: createHttpClient(base, { verify: !insecure }) });
  },
  tokens: [...RESOURCES.keys()],
  resource: (token) => RESOURCES.get(token),
  close: (client) => client.close(),
};
