import { defineBridged } from "../../sdk/bridged";
import { str } from "../../sdk/schema";
import type { JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asString } from "./values";

const write = (inputs: JsonObject, client: VaultClient, signal: AbortSignal) =>
  client.write(`sys/policies/acl/${asString(inputs["name"])}`, { policy: asString(inputs["policy"]) }, { signal });

export const policy = defineBridged<VaultClient>({
  token: "vault:index/policy:Policy",
  nameProperty: "name",
  fields: { name: str({ autoName: true, replace: true }), policy: str({ required: true }) },
  computed: [],
  idOf: (inputs) => asString(inputs["name"]),
  async create(inputs, { provider, signal }) {
    await write(inputs, provider, signal);
    return { id: asString(inputs["name"]) };
  },
  async read(id, _known, { provider, signal }) {
    const found = await provider.read(`sys/policies/acl/${id}`, { signal });
    return found === undefined ? undefined : { name: id, policy: asString(found["policy"]) };
  },
  async update(_id, { news }, { provider, signal }) {
    await write(news, provider, signal);
  },
  delete: (id, _outputs, { provider, signal }) => provider.remove(`sys/policies/acl/${id}`, { signal }),
});
