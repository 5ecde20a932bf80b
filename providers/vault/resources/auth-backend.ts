import { asError } from "../../../common/errors";
import { defineBridged } from "../../sdk/bridged";
import { PartialFailure } from "../../sdk/resource";
import { block, bool, list, str } from "../../sdk/schema";
import type { JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asObject, asString, fromVault, secondsOf, toVault, trimSlashes } from "./values";

const TUNE = [
  "defaultLeaseTtl",
  "maxLeaseTtl",
  "auditNonHmacRequestKeys",
  "auditNonHmacResponseKeys",
  "listingVisibility",
  "passthroughRequestHeaders",
  "allowedResponseHeaders",
  "tokenType",
];

/** Seconds as the official provider writes them: 3661 → `1h1m1s`, 3660 → `1h1m`, 3600 → `1h`, 0 → `0s` */
function duration(value: unknown): string {
  const seconds = typeof value === "number" ? value : 0;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const text = `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${s}s`;
  return text.replace(/m0s$/, "m").replace(/h0m$/, "h");
}

/** A lease keeps the program's spelling while its length is the same. One that the program does not give is shown as Vault has it. */
const asWritten = (asked: string, live: unknown): string => (asked === "" || secondsOf(asked) === live ? asked : duration(live));

/** Given values keep the program's spelling. A value that has a global default is shown only where the program gives it. */
function tuneOutput(live: JsonObject, asked: JsonObject | undefined): JsonObject {
  const found: JsonObject = {
    ...fromVault(live, TUNE),
    defaultLeaseTtl: duration(live["default_lease_ttl"]),
    maxLeaseTtl: duration(live["max_lease_ttl"]),
    listingVisibility: asString(live["listing_visibility"]),
    tokenType: asString(live["token_type"]),
  };
  if (asked === undefined) return found;
  return {
    ...found,
    defaultLeaseTtl: asWritten(asString(asked["defaultLeaseTtl"]), live["default_lease_ttl"]),
    maxLeaseTtl: asWritten(asString(asked["maxLeaseTtl"]), live["max_lease_ttl"]),
    ...(asString(asked["tokenType"]) === "" ? { tokenType: "" } : {}),
    ...(asString(asked["listingVisibility"]) === "" ? { listingVisibility: "" } : {}),
  };
}

const pathOf = (values: JsonObject, id = ""): string => trimSlashes(asString(values["path"])) || id || asString(values["type"]);
const sameButSlash = (a: unknown, b: unknown): boolean => trimSlashes(String(a)) === trimSlashes(String(b));

export const authBackend = defineBridged<VaultClient>({
  token: "vault:index/authBackend:AuthBackend",
  fields: {
    type: str({ required: true, replace: true }),
    path: str({ computed: true, equal: sameButSlash }),
    description: str(),
    local: bool({ replace: true }),
    identityTokenKey: str(),
    disableRemount: bool({ default: false }),
    tune: block(
      {
        defaultLeaseTtl: str(),
        maxLeaseTtl: str(),
        auditNonHmacRequestKeys: list(str()),
        auditNonHmacResponseKeys: list(str()),
        listingVisibility: str(),
        passthroughRequestHeaders: list(str()),
        allowedResponseHeaders: list(str()),
        tokenType: str(),
      },
      { computed: true },
    ),
  },
  computed: ["accessor", "path", "tune"],
  replacesBeside: ({ disableRemount }) => (disableRemount === true ? ["path"] : []),
  idOf: (inputs) => pathOf(inputs),
  setAfterwards: ["tune"],
  async create(inputs, { provider, signal }) {
    const path = pathOf(inputs);
    const body = { ...toVault(inputs, ["type", "local"]), description: asString(inputs["description"]), config: toVault(inputs, ["identityTokenKey"]) };
    await provider.request("POST", `sys/auth/${path}`, { signal, once: true }, body);
    if (inputs["tune"] === undefined) return { id: path, outputs: { path } };
    try {
      await provider.request("POST", `sys/mounts/auth/${path}/tune`, { signal }, toVault(asObject(inputs["tune"]), TUNE));
    } catch (cause) {
      const { tune: _tune, ...made } = inputs;
      const why = `auth method ${path} was made and not tuned: ${asError(cause).message}`;
      throw new PartialFailure(path, { ...made, path, id: path }, [why], { cause });
    }
    return { id: path, outputs: { path } };
  },
  async read(id, known, { provider, signal }) {
    const path = pathOf(known, id);
    const found = await provider.read(`sys/auth/${path}`, { signal });
    if (found === undefined) return undefined;
    const live = (await provider.read(`sys/mounts/auth/${path}/tune`, { signal })) ?? {};
    return {
      path,
      type: asString(found["type"]),
      description: asString(found["description"]),
      local: found["local"] === true,
      accessor: asString(found["accessor"]),
      tune: tuneOutput(live, known["tune"] === undefined ? undefined : asObject(known["tune"])),
    };
  },
  async update(id, { olds, news, outputs }, { provider, signal }) {
    const from = pathOf(outputs, id);
    const to = news["path"] === undefined ? from : pathOf(news);
    if (from !== to) await provider.move(`auth/${from}`, `auth/${to}`, { signal });
    const tune = JSON.stringify(olds["tune"]) === JSON.stringify(news["tune"]) ? {} : toVault(asObject(news["tune"]), TUNE);
    const described = asString(olds["description"]) === asString(news["description"]) ? {} : { description: asString(news["description"]) };
    const body = { ...tune, ...described };
    if (Object.keys(body).length > 0) await provider.request("POST", `sys/mounts/auth/${to}/tune`, { signal }, body);
  },
  delete: (id, outputs, { provider, signal }) => provider.remove(`sys/auth/${pathOf(outputs, id)}`, { signal }),
});
