/** proxmoxve:network/linux/bridge:Bridge: a bridge of a node, written and applied. The id is `<node>:<name>`. */
import { isIPv4, isIPv6 } from "node:net";
import { HomelabError } from "../../../common/errors";
import { type BridgedCall, defineBridged } from "../../sdk/bridged";
import { PartialFailure } from "../../sdk/resource";
import { bool, list, num, str } from "../../sdk/schema";
import { type Json, type JsonObject, sameValue } from "../../sdk/values";
import type { Params, PveClient } from "../client";
import { announce } from "./announce";
import { parseId, portsOf } from "./bridge-names";
import { changeInterface, findInterface, isAbout, isMissingInterface, NotReloaded, readNetwork } from "./node-network";

type Call = BridgedCall<PveClient>;
const DEFAULTS: JsonObject = { autostart: true, timeoutReload: 100 };

const text = (value: Json | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const cidr =
  (isAddress: (address: string) => boolean, longest: number, example: string) =>
  (value: unknown): string | undefined => {
    const [address = "", prefix = "", ...more] = String(value).split("/");
    const right = isAddress(address) && /^\d+$/.test(prefix) && Number(prefix) <= longest && more.length === 0;
    return right ? undefined : `must be an address with its prefix, such as ${example}`;
  };
const address = (isAddress: (address: string) => boolean, version: string) => (value: unknown) =>
  isAddress(String(value)) ? undefined : `must be an ${version} address`;
const between = (low: number, high: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= low && Number(value) <= high
    ? undefined
    : high === Infinity
      ? `must be a whole number, ${low} at least`
      : `must be a whole number from ${low} to ${high}`;

/** The settings by the API's names. `type` and `autostart` are always sent, since Proxmox requires them. */
function settings(inputs: JsonObject): Params {
  const ports = portsOf(inputs["ports"]).join(" ");
  return {
    type: "bridge",
    autostart: inputs["autostart"] !== false,
    cidr: text(inputs["address"]),
    gateway: text(inputs["gateway"]),
    cidr6: text(inputs["address6"]),
    gateway6: text(inputs["gateway6"]),
    mtu: typeof inputs["mtu"] === "number" ? inputs["mtu"] : undefined,
    comments: text(inputs["comment"]),
    bridge_ports: ports === "" ? undefined : ports,
    bridge_vlan_aware: inputs["vlanAware"] === true ? true : undefined,
    bridge_vids: inputs["vlanAware"] === true ? text(inputs["vids"]) : undefined,
  };
}

/** Proxmox's names of the settings that a change can remove. */
const REMOVABLE = ["cidr", "gateway", "cidr6", "gateway6", "mtu", "comments", "bridge_ports", "bridge_vlan_aware", "bridge_vids"];

/** The whole bridge in one request, what it does not have any more named in `delete`. @param found as the API lists it */
function replacement(given: JsonObject, found: JsonObject): Params {
  // Where `vlanAware` is not given, it stays as it is.
  const inputs: JsonObject = { ...given, vlanAware: given["vlanAware"] ?? Number(found["bridge_vlan_aware"] ?? 0) === 1 };
  const wanted = settings(inputs);
  const vidsStay = inputs["vlanAware"] === true && inputs["vids"] === undefined;
  const removed = REMOVABLE.filter((key) => wanted[key] === undefined && text(String(found[key] ?? "")) !== undefined && !(key === "bridge_vids" && vidsStay));
  return { ...wanted, delete: removed.length === 0 ? undefined : removed.join(",") };
}

/** A bridge as the API lists it, by the names of the outputs; null: it has none. */
function describe(found: JsonObject): JsonObject {
  const isAware = Number(found["bridge_vlan_aware"] ?? 0) === 1;
  const ports = portsOf(String(found["bridge_ports"] ?? "").split(/\s+/));
  const mtu = Number(found["mtu"] ?? Number.NaN);
  return {
    address: text(found["cidr"]) ?? null,
    gateway: text(found["gateway"]) ?? null,
    address6: text(found["cidr6"]) ?? null,
    gateway6: text(found["gateway6"]) ?? null,
    autostart: Number(found["autostart"] ?? 0) === 1,
    mtu: Number.isNaN(mtu) ? null : mtu,
    comment: text(String(found["comments"] ?? "").trim()) ?? null,
    ports: ports.length === 0 ? null : ports,
    vlanAware: isAware,
    vids: isAware ? (text(found["bridge_vids"]) ?? null) : null,
  };
}

const idOf = (inputs: JsonObject): string => `${inputs["nodeName"]}:${inputs["name"]}`;

async function change(id: string, inputs: JsonObject, call: Call, write: (path: string, found: JsonObject | undefined, pending: boolean) => Promise<void>) {
  const { node, name } = parseId(id);
  await changeInterface(
    {
      node,
      name,
      reloadSeconds: Number(inputs["timeoutReload"] ?? DEFAULTS["timeoutReload"]),
      write: (before) => write(`nodes/${node}/network`, findInterface(before, name), before.pending !== undefined),
    },
    call,
  );
}

async function create(inputs: JsonObject, call: Call): Promise<{ id: string }> {
  const id = idOf(inputs);
  const { node, name } = parseId(id);
  try {
    await change(id, inputs, call, async (path, found, pending) => {
      // The creation was interrupted before its reload: the bridge is among the changes that are not applied.
      if (found?.["type"] === "bridge" && pending) {
        await call.provider.write("PUT", `${path}/${name}`, call.signal, replacement(inputs, found));
        return;
      }
      if (found !== undefined)
        throw new HomelabError("E_BRIDGE_EXISTS", `${node} has an interface ${name} already, and it was not made by this stack`, {
          subject: id,
          hint: `import it (its id is ${id}), or choose another name`,
        });
      await call.provider.write("POST", path, call.signal, { iface: name, ...settings(inputs) });
    });
  } catch (thrown) {
    if (!(thrown instanceof NotReloaded)) throw thrown;
    throw new PartialFailure(id, inputs, [thrown.message], { cause: thrown });
  }
  return { id };
}

export const bridge = defineBridged<PveClient>({
  token: "proxmoxve:network/linux/bridge:Bridge",
  fields: {
    nodeName: str({ required: true, replace: true }),
    name: str({
      required: true,
      replace: true,
      validate: (name) => (/^[A-Za-z][A-Za-z0-9_]{0,9}$/.test(String(name)) ? undefined : "must be a letter and up to 9 letters, digits or _, such as vmbr1"),
    }),
    address: str({ validate: cidr(isIPv4, 32, "10.20.0.10/24") }),
    gateway: str({ validate: address(isIPv4, "IPv4") }),
    address6: str({ validate: cidr(isIPv6, 128, "fd00::10/64") }),
    gateway6: str({ validate: address(isIPv6, "IPv6") }),
    autostart: bool(),
    mtu: num({ validate: between(1280, 65520) }),
    comment: str({ equal: (before, after) => String(before).trim() === String(after).trim() }),
    // The order means nothing: Proxmox keeps them sorted.
    ports: list(str({ validate: (port) => (String(port).trim() === "" ? "must be an interface of the node, such as eno1" : undefined) }), {
      equal: (before, after) => sameValue(portsOf(before), portsOf(after)),
    }),
    timeoutReload: num({ validate: between(5, Infinity) }),
    vlanAware: bool({ computed: true }),
    vids: str({
      computed: true,
      validate: (vids) =>
        /^\d+(-\d+)?( \d+(-\d+)?)*$/.test(String(vids)) ? undefined : 'must be VLAN ids or ranges separated by spaces, such as "1 20 100-200"',
    }),
  },
  planDefaults: DEFAULTS,
  computed: ["vlanAware", "vids"],
  deleteFirst: true,
  validate: ({ vids, vlanAware }) =>
    typeof vids === "string" && (vlanAware === undefined || vlanAware === false)
      ? [{ property: "vids", reason: "needs vlanAware: true; set it, or leave vids out" }]
      : [],
  idOf,
  create,
  async read(id, known, call) {
    const { node, name } = parseId(id);
    const found = findInterface(await readNetwork(node, call), name);
    if (found === undefined) return undefined;
    if (found["type"] !== "bridge")
      throw new HomelabError("E_BRIDGE_TYPE", `${name} on ${node} is no bridge: its type is ${String(found["type"])}`, { subject: id });
    return { timeoutReload: known["timeoutReload"] ?? DEFAULTS["timeoutReload"] ?? null, ...describe(found), nodeName: node, name };
  },
  announce,
  announceReplacement: (id, olds) => announce(id, olds, {}),
  async update(id, { news }, call) {
    const { node, name } = parseId(id);
    await change(id, news, call, async (path, found) => {
      if (found === undefined)
        throw new HomelabError("E_BRIDGE_MISSING", `${node} has no bridge ${name} any more`, { subject: id, hint: "refresh the stack, then run again" });
      await call.provider.write("PUT", `${path}/${name}`, call.signal, replacement(news, found));
    });
  },
  async delete(id, outputs, call) {
    const { node, name } = parseId(id);
    const network = await readNetwork(node, call);
    const isPending = network.pending !== undefined && isAbout(network.pending, name);
    if (findInterface(network, name) === undefined && !isPending) return;
    await change(id, outputs, call, async (path, found) => {
      // The deletion was interrupted before its reload.
      if (found === undefined) return;
      await call.provider.write("DELETE", `${path}/${name}`, call.signal).catch((thrown: unknown) => {
        if (!isMissingInterface(thrown)) throw thrown;
      });
    });
  },
});
