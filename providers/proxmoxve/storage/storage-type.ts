/** What the types of storages have in common: an entry of the cluster's list, whose id is its name. Deleting it deletes no data. */
import { HomelabError } from "../../../common/errors";
import { type BridgedResource, defineBridged } from "../../sdk/bridged";
import type { CheckFailure, ResourceDefinition } from "../../sdk/resource";
import { bool, type Fields, set, str } from "../../sdk/schema";
import type { JsonObject, Values } from "../../sdk/values";
import { asRecord, type Params, type PveClient, PveError } from "../client";

const CONTENT_TYPES = ["backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl"];

/** A setting under Proxmox's name. */
interface Setting {
  name: string;
  kind: "text" | "flag";
}

export interface StorageType {
  token: string;
  /** Proxmox's word. */
  type: string;
  /** Properties that say where the storage is. They cannot change. */
  place: Readonly<Record<string, Setting & { validate?: (value: unknown) => string | undefined }>>;
  /** Settings that can change in place. */
  settings?: Readonly<Record<string, Setting>>;
  fields?: Fields;
  defaults?: JsonObject;
  computed?: readonly string[];
  validate?: (inputs: Values) => CheckFailure[];
  /** Parameters for properties that are no single setting; an undefined one is not set. */
  params?: (inputs: JsonObject) => Params;
  describe?: (entry: JsonObject, known: JsonObject) => JsonObject;
}

const listed = (value: JsonObject[string] | undefined): string[] => (typeof value === "string" ? value.split(",").filter((part) => part !== "") : []);
const joined = (value: JsonObject[string] | undefined): string | undefined =>
  Array.isArray(value) && value.length > 0 ? value.map(String).toSorted().join(",") : undefined;

const parameter = (value: JsonObject[string] | undefined): string | number | boolean | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;

function paramsOf(type: StorageType, inputs: JsonObject): Params {
  const settings = Object.entries(type.settings ?? {}).map(([property, { name }]) => [name, parameter(inputs[property])] as const);
  return {
    content: joined(inputs["contents"]),
    nodes: joined(inputs["nodes"]),
    disable: inputs["disable"] === true,
    ...Object.fromEntries(settings),
    ...type.params?.(inputs),
  };
}

function describe(type: StorageType, id: string, entry: JsonObject, known: JsonObject): JsonObject {
  if (entry["type"] !== type.type)
    throw new HomelabError("E_STORAGE_TYPE", `the storage ${id} is of the type ${String(entry["type"])}, not ${type.type}`, { subject: id });
  const own = Object.entries({ ...type.place, ...type.settings }).map(([property, { name, kind }]) => {
    const value = entry[name];
    if (kind === "text" || (value === undefined && !(property in (type.defaults ?? {})))) return [property, value ?? null];
    return [property, Number(value ?? 0) === 1];
  });
  return {
    resourceId: id,
    contents: listed(entry["content"]),
    nodes: listed(entry["nodes"]),
    disable: Number(entry["disable"] ?? 0) === 1,
    shared: Number(entry["shared"] ?? 0) === 1,
    ...Object.fromEntries(own),
    ...type.describe?.(entry, known),
  };
}

export function defineStorage(type: StorageType): ResourceDefinition<PveClient> {
  const place = Object.entries(type.place).map(([property, { validate }]) => [
    property,
    str({ required: true, replace: true, ...(validate ? { validate } : {}) }),
  ]);
  const resource: BridgedResource<PveClient> = {
    token: type.token,
    fields: {
      resourceId: str({
        required: true,
        replace: true,
        validate: (id) =>
          /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i.test(String(id)) ? undefined : "must be two or more letters, digits, -, _ or ., and begin with a letter",
      }),
      ...Object.fromEntries(place),
      contents: set(str({ validate: (kind) => (CONTENT_TYPES.includes(String(kind)) ? undefined : `must be one of ${CONTENT_TYPES.join(", ")}`) }), {
        computed: true,
      }),
      nodes: set(str(), { computed: true }),
      disable: bool(),
      ...type.fields,
    },
    planDefaults: { disable: false, ...type.defaults },
    computed: ["contents", "nodes", ...(type.computed ?? [])],
    nameProperty: "resourceId",
    ...(type.validate ? { validate: type.validate } : {}),
    idOf: (inputs) => String(inputs["resourceId"]),
    async create(inputs, { provider, signal }) {
      const id = String(inputs["resourceId"]);
      const fixed = Object.entries(type.place).map(([property, { name }]) => [name, parameter(inputs[property])] as const);
      try {
        await provider.write("POST", "storage", signal, { storage: id, type: type.type, ...Object.fromEntries(fixed), ...paramsOf(type, inputs) });
      } catch (thrown) {
        if (!(thrown instanceof PveError && /already defined/.test(thrown.detail))) throw thrown;
        throw new HomelabError("E_STORAGE_EXISTS", `there is a storage ${id} already, and it was not made by this stack`, {
          cause: thrown,
          subject: id,
          hint: "import it (its id is its name), or choose another name",
        });
      }
      return { id };
    },
    async read(id, known, { provider, signal }) {
      try {
        return describe(type, id, asRecord(await provider.request("GET", `storage/${encodeURIComponent(id)}`, signal)), known);
      } catch (thrown) {
        if (thrown instanceof PveError && thrown.missing) return undefined;
        throw thrown;
      }
    },
    async update(id, { olds, news }, { provider, signal }) {
      const [before, after] = [paramsOf(type, olds), paramsOf(type, news)];
      // An empty list removes the parameter: then the storage is on all nodes, or has Proxmox's default content types.
      const emptied = [...(isEmpty(news["nodes"]) ? ["nodes"] : []), ...(isEmpty(news["contents"]) ? ["content"] : [])];
      const gone = Object.keys(before).filter((key) => before[key] !== undefined && after[key] === undefined && key !== "content" && key !== "nodes");
      const removed = [...gone, ...emptied];
      await provider.write("PUT", `storage/${encodeURIComponent(id)}`, signal, { ...after, delete: removed.length === 0 ? undefined : removed.join(",") });
    },
    async delete(id, _outputs, { provider, signal }) {
      await provider.write("DELETE", `storage/${encodeURIComponent(id)}`, signal).catch((thrown: unknown) => {
        if (!(thrown instanceof PveError && thrown.missing)) throw thrown;
      });
    },
  };
  return defineBridged(resource);
}

const isEmpty = (value: JsonObject[string] | undefined): boolean => Array.isArray(value) && value.length === 0;
