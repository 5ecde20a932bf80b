import { defineBridged } from "../../sdk/bridged";
import { bool, list, map, num, set, str } from "../../sdk/schema";
import type { JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asObject, asString, changes, fromVault, toVault, trimSlashes } from "./values";

/** Settings that Vault keeps in the mount's `config`, beside the leases. */
const CONFIG = [
  "forceNoCache",
  "auditNonHmacRequestKeys",
  "auditNonHmacResponseKeys",
  "listingVisibility",
  "passthroughRequestHeaders",
  "allowedResponseHeaders",
  "delegatedAuthAccessors",
  "allowedManagedKeys",
  "pluginVersion",
  "identityTokenKey",
];
const TUNABLE = CONFIG.filter((name) => name !== "forceNoCache");

const seconds = (value: unknown): string => `${typeof value === "number" ? value : 0}s`;
const leases = (inputs: JsonObject): JsonObject => ({
  default_lease_ttl: seconds(inputs["defaultLeaseTtlSeconds"]),
  max_lease_ttl: seconds(inputs["maxLeaseTtlSeconds"]),
});

/** `kv-v2` is kept as it was asked for, though Vault itself calls it `kv` with the option version 2. */
function typeAndOptions(found: JsonObject, known: JsonObject): JsonObject {
  const options = asObject(found["options"]);
  if (known["type"] !== "kv-v2" || found["type"] !== "kv" || options["version"] !== "2") return { type: asString(found["type"]), options };
  const { version: _version, ...rest } = options;
  return { type: "kv-v2", options: asObject(known["options"])["version"] === undefined ? rest : options };
}

export const mount = defineBridged<VaultClient>({
  token: "vault:index/mount:Mount",
  fields: {
    path: str({ required: true }),
    type: str({ required: true, replace: true }),
    description: str(),
    defaultLeaseTtlSeconds: num({ computed: true }),
    maxLeaseTtlSeconds: num({ computed: true }),
    forceNoCache: bool({ computed: true }),
    auditNonHmacRequestKeys: list(str(), { computed: true }),
    auditNonHmacResponseKeys: list(str(), { computed: true }),
    listingVisibility: str(),
    passthroughRequestHeaders: list(str()),
    allowedResponseHeaders: list(str()),
    pluginVersion: str(),
    allowedManagedKeys: set(str()),
    delegatedAuthAccessors: list(str()),
    identityTokenKey: str(),
    options: map(),
    sealWrap: bool({ computed: true, replace: true }),
    externalEntropyAccess: bool({ default: false, replace: true }),
    local: bool({ replace: true }),
  },
  computed: ["accessor", "auditNonHmacRequestKeys", "auditNonHmacResponseKeys", "defaultLeaseTtlSeconds", "maxLeaseTtlSeconds", "forceNoCache", "sealWrap"],
  idOf: (inputs) => asString(inputs["path"]),
  async create(inputs, { provider, signal }) {
    const path = trimSlashes(asString(inputs["path"]));
    await provider.request(
      "POST",
      `sys/mounts/${path}`,
      { signal, once: true },
      {
        ...toVault(inputs, ["type", "local", "sealWrap", "externalEntropyAccess"]),
        description: asString(inputs["description"]),
        options: asObject(inputs["options"]),
        config: { ...leases(inputs), ...toVault(inputs, CONFIG) },
      },
    );
    return { id: asString(inputs["path"]) };
  },
  async read(id, known, { provider, signal }) {
    const path = asString(known["path"]) || id;
    const found = await provider.read(`sys/mounts/${trimSlashes(path)}`, { signal });
    if (found === undefined) return undefined;
    const config = asObject(found["config"]);
    return {
      path,
      accessor: asString(found["accessor"]),
      description: asString(found["description"]),
      local: found["local"] === true,
      sealWrap: found["seal_wrap"] === true,
      externalEntropyAccess: found["external_entropy_access"] === true,
      defaultLeaseTtlSeconds: config["default_lease_ttl"] ?? 0,
      maxLeaseTtlSeconds: config["max_lease_ttl"] ?? 0,
      auditNonHmacRequestKeys: [],
      auditNonHmacResponseKeys: [],
      ...fromVault(config, TUNABLE),
      forceNoCache: config["force_no_cache"] === true,
      ...typeAndOptions(found, known),
    };
  },
  async update(id, { olds, news, outputs }, { provider, signal }) {
    const [from, to] = [asString(outputs["path"]) || id, asString(news["path"])];
    if (from !== to) await provider.move(trimSlashes(from), trimSlashes(to), { signal });
    // A lease that is not an input stays as Vault has it.
    const kept = { ...outputs, ...news };
    const body = { ...leases(kept), options: asObject(news["options"]), ...changes(olds, news, ["description", ...TUNABLE]) };
    await provider.request("POST", `sys/mounts/${trimSlashes(to)}/tune`, { signal }, body);
  },
  delete: (id, outputs, { provider, signal }) => provider.remove(`sys/mounts/${trimSlashes(asString(outputs["path"]) || id)}`, { signal }),
});
