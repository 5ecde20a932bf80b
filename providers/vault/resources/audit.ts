import { defineBridged } from "../../sdk/bridged";
import { bool, map, str } from "../../sdk/schema";
import type { JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asObject, asString, toVault, trimSlashes } from "./values";

/** Every change replaces it: Vault cannot alter an audit device. */
const pathOf = (inputs: JsonObject): string => asString(inputs["path"]) || asString(inputs["type"]);

export const audit = defineBridged<VaultClient>({
  token: "vault:index/audit:Audit",
  fields: {
    type: str({ required: true, replace: true }),
    path: str({ replace: true, computed: true }),
    description: str({ replace: true }),
    local: bool({ replace: true }),
    options: map({ required: true, replace: true }),
  },
  computed: ["path"],
  idOf: pathOf,
  async create(inputs, { provider, signal }) {
    const path = pathOf(inputs);
    await provider.write(
      `sys/audit/${trimSlashes(path)}`,
      { description: "", ...toVault(inputs, ["type", "description", "local", "options"]) },
      { signal, once: true },
    );
    return { id: path, outputs: { path } };
  },
  async read(id, _known, { provider, signal }) {
    const devices = await provider.read("sys/audit", { signal });
    const found = devices?.[`${trimSlashes(id)}/`];
    if (found === undefined) return undefined;
    const device = asObject(found);
    return { path: id, type: asString(device["type"]), description: asString(device["description"]), options: asObject(device["options"]) };
  },
  delete: (id, _outputs, { provider, signal }) => provider.remove(`sys/audit/${trimSlashes(id)}`, { signal }),
});
