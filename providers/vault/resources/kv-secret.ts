import { HomelabError } from "../../../common/errors";
import { defineBridged } from "../../sdk/bridged";
import { block, bool, map, num, str } from "../../sdk/schema";
import type { Json, JsonObject } from "../../sdk/values";
import { type VaultClient, VaultError } from "../client";
import { asObject, asString, secondsOf, trimSlashes } from "./values";

/** JSON as Go writes it: keys in order, and `<`, `>`, `&` escaped. That is the form in which the state keeps it. */
function normalJson(text: string): string {
  const ordered = (value: Json): Json =>
    Array.isArray(value)
      ? value.map(ordered)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, item]) => [key, ordered(item)]),
          )
        : value;
  return JSON.stringify(ordered(JSON.parse(text) as Json)).replace(/[<>&]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const isJsonObject = (value: unknown): boolean => {
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    // A text that cannot be parsed is no JSON object.
    return false;
  }
};

const sameJson = (a: unknown, b: unknown): boolean => isJsonObject(a) && isJsonObject(b) && normalJson(String(a)) === normalJson(String(b));

const dataPath = (outputs: JsonObject): string => `${asString(outputs["mount"])}/data/${asString(outputs["name"])}`;
const metadataPath = (outputs: JsonObject): string => `${asString(outputs["mount"])}/metadata/${asString(outputs["name"])}`;

/** Values of a map output are strings; others appear as JSON. */
const stringMap = (values: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));

/** The version that a write replaces; 0 where there is no entry. A deleted one counts: Vault numbers on from it. */
async function currentVersion(inputs: JsonObject, client: VaultClient, signal: AbortSignal): Promise<number> {
  return Number((await client.read(metadataPath(inputs), { signal }))?.["current_version"] ?? 0);
}

/**
 * Always writes with check-and-set: if two write at once, the second one gets an error, and no value is overwritten unseen.
 * @param known the version that the state knows; without one, the one that is there now
 */
async function write(inputs: JsonObject, client: VaultClient, signal: AbortSignal, known?: number): Promise<void> {
  const given = { ...asObject(inputs["options"]), ...(inputs["cas"] === undefined ? {} : { cas: inputs["cas"] }) };
  const options = "cas" in given ? given : { ...given, cas: known ?? (await currentVersion(inputs, client, signal)) };
  const data = JSON.parse(asString(inputs["dataJson"]) || "{}") as Json;
  try {
    await client.write(dataPath(inputs), { data, options }, { signal, once: true });
  } catch (cause) {
    if (!(cause instanceof VaultError) || !cause.messages.some((message) => message.includes("did not match the current version"))) throw cause;
    throw new HomelabError("E_VAULT_CONFLICT", `Vault: ${dataPath(inputs)} was written by somebody else; it was left as it is`, {
      cause,
      subject: dataPath(inputs),
      hint: "`homelab refresh` takes up what is there, `homelab preview` then shows what Git would change, `homelab up` writes it",
    });
  }
  const custom = inputs["customMetadata"];
  if (custom === undefined) return;
  const { maxVersions, casRequired, deleteVersionAfter, data: customData } = asObject(custom);
  const body: JsonObject = {
    ...(maxVersions === undefined ? {} : { max_versions: maxVersions }),
    ...(casRequired === undefined ? {} : { cas_required: casRequired }),
    ...(deleteVersionAfter === undefined ? {} : { delete_version_after: `${String(deleteVersionAfter)}s` }),
    ...(customData === undefined ? {} : { custom_metadata: customData }),
  };
  await client.write(metadataPath(inputs), body, { signal });
}

async function readCustomMetadata(outputs: JsonObject, client: VaultClient, signal: AbortSignal): Promise<JsonObject> {
  const found = (await client.read(metadataPath(outputs), { signal })) ?? {};
  return {
    casRequired: found["cas_required"] === true,
    data: asObject(found["custom_metadata"]),
    deleteVersionAfter: secondsOf(asString(found["delete_version_after"])),
    maxVersions: found["max_versions"] ?? 0,
  };
}

export const kvSecret = defineBridged<VaultClient>({
  token: "vault:kv/secretV2:SecretV2",
  nameProperty: "name",
  fields: {
    mount: str({ required: true, replace: true, validate: (value) => (trimSlashes(String(value)) === "" ? "must not be empty" : undefined) }),
    name: str({ autoName: true, replace: true }),
    dataJson: str({ required: true, equal: sameJson, validate: (value) => (isJsonObject(value) ? undefined : "must be a JSON object") }),
    cas: num(),
    options: map(),
    customMetadata: block({ maxVersions: num(), casRequired: bool(), deleteVersionAfter: num(), data: map() }, { computed: true }),
    deleteAllVersions: bool({ default: false }),
    disableRead: bool({ default: false }),
  },
  computed: ["path", "metadata", "data", "customMetadata"],
  computedOnUpdate: ["metadata"],
  secretInputs: ["dataJson"],
  secretOutputs: ["data", "dataJson"],
  idOf: dataPath,
  async create(inputs, { provider, signal }) {
    await write(inputs, provider, signal);
    return { id: dataPath(inputs) };
  },
  async read(id, known, { provider, signal }) {
    const [mount = "", name = ""] = id.split(/\/data\/(.*)/s);
    const place = { path: id, mount, name, data: {} };
    if (known["disableRead"] === true) return place;
    const found = await provider.read(id, { signal });
    // A deleted version leaves metadata without data: it is gone for every reader.
    if (found === undefined || found["data"] === null || found["data"] === undefined) return undefined;
    const metadata = asObject(found["metadata"]);
    const custom = "custom_metadata" in metadata ? { customMetadata: await readCustomMetadata(place, provider, signal) } : {};
    return { ...place, dataJson: normalJson(JSON.stringify(found["data"])), metadata: stringMap(metadata), ...custom };
  },
  update(_id, { news, outputs }, { provider, signal }) {
    const known = Number(asObject(outputs["metadata"])["version"]);
    return write(news, provider, signal, Number.isInteger(known) ? known : undefined);
  },
  delete: (_id, outputs, { provider, signal }) =>
    provider.remove(outputs["deleteAllVersions"] === true ? metadataPath(outputs) : dataPath(outputs), { signal }),
});
