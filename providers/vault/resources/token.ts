import { defineBridged } from "../../sdk/bridged";
import { bool, map, num, set, str } from "../../sdk/schema";
import type { JsonObject } from "../../sdk/values";
import { type VaultClient, VaultError } from "../client";
import { withLostToken } from "./lost-token";
import { asObject, asString, toVault } from "./values";

/** Inputs that are sent to Vault. The others are about renewal. */
const REQUEST = ["policies", "ttl", "explicitMaxTtl", "period", "noParent", "noDefaultPolicy", "displayName", "numUses", "renewable"];

/** `2026-01-02T03:04:05.123456789Z` → without the fraction */
const toSeconds = (time: string): string => time.replace(/\.\d+/, "");

const isGone = (thrown: unknown): boolean =>
  thrown instanceof VaultError &&
  (thrown.status === 404 || thrown.messages.some((message) => /(invalid|bad|not found|no such) .*accessor|accessor .*not found/i.test(message)));

async function lookup(accessor: string, client: VaultClient, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return asObject((await client.request("POST", "auth/token/lookup-accessor", { signal }, { accessor }))?.["data"]);
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw thrown;
  }
}

function described(found: JsonObject): JsonObject {
  const issued = asString(found["issue_time"]) || new Date(Number(found["creation_time"] ?? 0) * 1000).toISOString();
  const expires = asString(found["expire_time"]);
  const policies = Array.isArray(found["policies"]) ? found["policies"].filter((name) => name !== "default") : [];
  return {
    policies,
    noParent: found["orphan"] === true,
    renewable: found["renewable"] === true,
    displayName: asString(found["display_name"]).replace(/^token-/, ""),
    numUses: found["num_uses"] ?? 0,
    leaseStarted: toSeconds(issued),
    leaseDuration: expires === "" ? 0 : Math.floor((Date.parse(expires) - Date.parse(issued)) / 1000),
    ...(found["meta"] === null || found["meta"] === undefined ? {} : { metadata: found["meta"] }),
  };
}

/** Renews when less than `renewMinLease` seconds are left, as the official provider does whenever it reads. */
async function renewed(state: JsonObject, known: JsonObject, client: VaultClient, signal: AbortSignal): Promise<JsonObject> {
  const minimum = known["renewMinLease"];
  const clientToken = asString(known["clientToken"]);
  if (state["renewable"] !== true || typeof minimum !== "number" || minimum <= 0 || clientToken === "") return state;
  const ends = Date.parse(asString(state["leaseStarted"])) + Number(state["leaseDuration"]) * 1000;
  if ((ends - Date.now()) / 1000 > minimum) return state;
  const increment = known["renewIncrement"] ?? state["leaseDuration"] ?? 0;
  const answer = await client.write("auth/token/renew", { token: clientToken, increment }, { signal });
  const lease = asObject(answer?.["auth"])["lease_duration"] ?? state["leaseDuration"] ?? 0;
  return { ...state, leaseDuration: lease, leaseStarted: toSeconds(new Date().toISOString()) };
}

/** Accessors of tokens whose creation was answered to this process. */
const told = new Set<string>();

export const token = defineBridged<VaultClient>({
  token: "vault:index/token:Token",
  fields: {
    roleName: str({ replace: true }),
    policies: set(str(), { replace: true }),
    noParent: bool({ replace: true, computed: true }),
    noDefaultPolicy: bool({ replace: true }),
    renewable: bool({ replace: true, computed: true }),
    ttl: str({ replace: true }),
    explicitMaxTtl: str({ replace: true }),
    wrappingTtl: str(),
    displayName: str({ replace: true, default: "token" }),
    numUses: num({ replace: true, computed: true }),
    period: str({ replace: true }),
    renewMinLease: num(),
    renewIncrement: num(),
    metadata: map({ replace: true }),
  },
  computed: ["clientToken", "leaseDuration", "leaseStarted", "noParent", "numUses", "renewable", "wrappedToken", "wrappingAccessor"],
  secretOutputs: ["clientToken", "wrappedToken", "wrappingAccessor"],
  async create(inputs, { provider, signal }) {
    const role = asString(inputs["roleName"]);
    const wrapping = asString(inputs["wrappingTtl"]);
    const body = { ...toVault(inputs, REQUEST), ...(inputs["metadata"] === undefined ? {} : { meta: inputs["metadata"] }) };
    const headers: Record<string, string> = wrapping === "" ? {} : { "x-vault-wrap-ttl": wrapping };
    const asked = Math.floor(Date.now() / 1000);
    const path = role === "" ? "auth/token/create" : `auth/token/create/${role}`;
    const answer = await provider.request("POST", path, { signal, headers, once: true }, body).catch(async (thrown: unknown) => {
      throw await withLostToken(thrown, { inputs, asked, known: told }, provider, signal);
    });
    const wrap = asObject(answer?.["wrap_info"]);
    if (wrapping !== "") {
      const wrapped = { clientToken: "", wrappedToken: asString(wrap["token"]), wrappingAccessor: asString(wrap["accessor"]) };
      told.add(asString(wrap["wrapped_accessor"]));
      return { id: asString(wrap["wrapped_accessor"]), outputs: wrapped };
    }
    const auth = asObject(answer?.["auth"]);
    told.add(asString(auth["accessor"]));
    return { id: asString(auth["accessor"]), outputs: { clientToken: asString(auth["client_token"]), wrappedToken: "", wrappingAccessor: "" } };
  },
  async read(id, known, { provider, signal }) {
    const found = await lookup(id, provider, signal);
    return found === undefined ? undefined : renewed(described(found), known, provider, signal);
  },
  // What can change without a replacement is only read by the next renewal.
  update: async () => undefined,
  async delete(id, _outputs, { provider, signal }) {
    try {
      await provider.request("POST", "auth/token/revoke-accessor", { signal }, { accessor: id });
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
    }
  },
});
