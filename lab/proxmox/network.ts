/** A node's network configuration: changes are written to a second file, and a reload applies them. */
import { isIPv4, isIPv6 } from "node:net";
import { PveError, parameterError } from "./errors";
import { type Interface, type NodeNetwork, nodeOf, type Pve } from "./model";
import { networkDiff } from "./network-file";
import { type Call, CHECKED, NOT_IN_SCHEMA, type Route, recordWrite, required, route } from "./router";
import { startTask } from "./tasks";

/** Settings of the API's schema that a bridge has; it has more, for bonds, VLANs and Open vSwitch. */
const BRIDGE = ["autostart", "bridge_ports", "bridge_vids", "bridge_vlan_aware", "cidr", "cidr6", "comments", "gateway", "gateway6", "mtu"];
const OTHER =
  "address address6 bond-primary bond_mode bond_xmit_hash_policy comments6 netmask netmask6 ovs_bonds ovs_bridge ovs_options ovs_ports ovs_tag slaves vlan-id vlan-raw-device".split(
    " ",
  );
const TYPES = ["bridge", "bond", "eth", "alias", "vlan", "fabric", "OVSBridge", "OVSBond", "OVSPort", "OVSIntPort", "vnet", "unknown"];

const networkOf = (pve: Pve, node: string): NodeNetwork => {
  const network = pve.state.networks[nodeOf(pve, node).name];
  if (network === undefined) throw new PveError(500, `node '${node}' has no network configuration`);
  return network;
};

/** Whether a VM's network device finds its bridge. */
export const hasBridge = (pve: Pve, node: string, bridge: string): boolean =>
  networkOf(pve, node).applied.some(({ iface, type }) => iface === bridge && type === "bridge");

const isCidr = (text: string, isAddress: (address: string) => boolean, longest: number): boolean => {
  const [address = "", prefix = "", ...more] = text.split("/");
  return isAddress(address) && /^\d+$/.test(prefix) && Number(prefix) <= longest && more.length === 0;
};

function problemOf(key: string, value: string): string | undefined {
  const boolean = /^(autostart|bridge_vlan_aware)$/.test(key);
  if (boolean && !/^[01]$/.test(value)) return `type check ('boolean') failed - got '${value}'`;
  if (key === "mtu" && !/^\d+$/.test(value)) return `type check ('integer') failed - got '${value}'`;
  if (key === "mtu" && Number(value) < 1280) return "value must have a minimum value of 1280";
  if (key === "mtu" && Number(value) > 65520) return "value must have a maximum value of 65520";
  if (key === "cidr" && !isCidr(value, isIPv4, 32)) return "invalid format - value does not look like a valid IPv4 network";
  if (key === "cidr6" && !isCidr(value, isIPv6, 128)) return "invalid format - value does not look like a valid IPv6 network";
  if (key === "gateway" && !isIPv4(value)) return "invalid format - value does not look like a valid IPv4 address";
  if (key === "gateway6" && !isIPv6(value)) return "invalid format - value does not look like a valid IPv6 address";
  if (key === "type" && !TYPES.includes(value)) return `value '${value}' does not have a value in the enumeration '${TYPES.join(", ")}'`;
  return undefined;
}

/** @returns the settings of a request about a bridge */
function settings(call: Call, also: readonly string[]): Record<string, string> {
  const { type, ...given } = call.parameters;
  const problems = Object.entries(call.parameters).flatMap(([key, value]) => {
    const known = [...BRIDGE, ...OTHER, ...also, "type"].includes(key);
    const problem = known ? problemOf(key, value) : NOT_IN_SCHEMA;
    return problem === undefined ? [] : [[key, problem] as const];
  });
  if (type === undefined) problems.push(["type", "property is missing and it is not optional"]);
  if (problems.length > 0) throw parameterError(Object.fromEntries(problems));
  const unmodelled = type === "bridge" ? Object.keys(given).find((key) => OTHER.includes(key)) : `type ${type}`;
  if (unmodelled !== undefined) {
    call.pve.ctx.unhandled.add({ system: "proxmox", target: "api", what: `network interface with ${unmodelled}` });
    throw new PveError(501, `network interface with ${unmodelled} not implemented`);
  }
  return Object.fromEntries(Object.entries(given).filter(([key]) => BRIDGE.includes(key)));
}

const portsOf = (entry: Interface): string[] => (entry.options["bridge_ports"] ?? "").split(/[\s,;]+/).filter((port) => port !== "");

/** What Proxmox finds when it writes the file. */
function checkFile(interfaces: readonly Interface[]): void {
  const used = new Map<string, string>();
  for (const entry of interfaces) {
    for (const port of portsOf(entry)) {
      const user = used.get(port);
      if (user !== undefined) throw new PveError(500, `port '${port}' is already used on interface '${user}'`);
      used.set(port, entry.iface);
      const parent = port.replace(/\.\d+$/, "");
      if (!interfaces.some(({ iface }) => iface === port || (parent !== port && iface === parent)))
        throw new PveError(500, `bridge '${entry.iface}' - unable to find bridge port '${port}'`);
    }
  }
}

function checkGateways(interfaces: readonly Interface[], iface: string, given: Readonly<Record<string, string>>): void {
  for (const [key, name] of [
    ["gateway", "Default gateway"],
    ["gateway6", "Default ipv6 gateway"],
  ] as const) {
    const other = interfaces.find((entry) => entry.iface !== iface && entry.options[key] !== undefined);
    if (given[key] !== undefined && other) throw parameterError({ [key]: `${name} already exists on interface '${other.iface}'.` });
  }
}

/** Writes the changed configuration as the pending one. It takes effect with a reload. */
function write(call: Call, action: string, iface: string, change: (interfaces: readonly Interface[]) => Interface[]): void {
  const node = nodeOf(call.pve, required(call, "node")).name;
  const network = networkOf(call.pve, node);
  const next = change(network.pending ?? network.applied);
  checkFile(next);
  if (JSON.stringify(next) === JSON.stringify(network.pending ?? network.applied)) return;
  network.pending = next;
  recordWrite(call, node, action, { iface });
}

const stored = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => {
      if (key === "bridge_vlan_aware" && value === "0") return [];
      return [
        [
          key,
          key === "bridge_ports"
            ? value
                .split(/[\s,;]+/)
                .toSorted()
                .join(" ")
            : value,
        ],
      ];
    }),
  );

function create(call: Call): void {
  const iface = required(call, "iface");
  if (!/^[a-z][a-z0-9_]{1,20}([:.]\d+)?$/i.test(iface)) throw parameterError({ iface: `invalid format - invalid network interface name '${iface}'` });
  const given = settings(call, ["iface"]);
  write(call, "network-create", iface, (interfaces) => {
    if (interfaces.some((entry) => entry.iface === iface)) throw parameterError({ iface: "interface already exists" });
    checkGateways(interfaces, iface, given);
    return [...interfaces, { iface, type: "bridge", options: stored(given) }];
  });
}

const missing = (): PveError => parameterError({ iface: "interface does not exist" });

function update(call: Call): void {
  const iface = required(call, "iface");
  const given = settings(call, ["delete"]);
  const removed = (call.parameters["delete"] ?? "").split(/[,; ]+/);
  write(call, "network-update", iface, (interfaces) => {
    const old = interfaces.find((entry) => entry.iface === iface);
    if (!old) throw missing();
    checkGateways(interfaces, iface, given);
    // Options that a request does not repeat stay in the entry, unless `delete` names them.
    const options = Object.fromEntries(Object.entries(old.options).filter(([key]) => !removed.includes(key)));
    return interfaces.map((entry) => (entry === old ? { ...old, options: { ...options, ...stored(given) } } : entry));
  });
}

function remove(call: Call): void {
  const iface = required(call, "iface");
  write(call, "network-delete", iface, (interfaces) => {
    if (!interfaces.some((entry) => entry.iface === iface)) throw missing();
    return interfaces.filter((entry) => entry.iface !== iface);
  });
}

function reload(call: Call): string {
  const node = nodeOf(call.pve, required(call, "node")).name;
  return startTask(call.pve, { node, type: "srvreload", id: "networking", user: call.user, latency: "proxmox.reload" }, () => {
    const network = networkOf(call.pve, node);
    if (network.pending === undefined) return;
    network.applied = network.pending;
    delete network.pending;
    recordWrite(call, node, "network-reload");
  });
}

function revert(call: Call): void {
  const node = nodeOf(call.pve, required(call, "node")).name;
  const network = networkOf(call.pve, node);
  if (network.pending === undefined) return;
  delete network.pending;
  recordWrite(call, node, "network-revert");
}

function shown(entry: Interface, priority: number, isApplied: boolean): Record<string, unknown> {
  const { iface, type, options } = entry;
  const split = (cidr: string | undefined, suffix: string) => {
    if (cidr === undefined) return { [`method${suffix}`]: "manual" };
    const [address, netmask] = cidr.split("/");
    return { [`method${suffix}`]: "static", [`address${suffix}`]: address, [`netmask${suffix}`]: netmask };
  };
  const { autostart, bridge_vlan_aware: aware, bridge_vids: vids, bridge_ports: ports, comments, ...rest } = options;
  const families = [...(rest["cidr"] === undefined ? [] : ["inet"]), ...(rest["cidr6"] === undefined ? [] : ["inet6"])];
  return {
    ...{ iface, type, priority, families: families.length === 0 ? ["inet"] : families, ...rest },
    ...split(rest["cidr"], ""),
    ...split(rest["cidr6"], "6"),
    ...(autostart === "1" ? { autostart: 1 } : {}),
    ...(isApplied ? { active: 1 } : {}),
    ...(type === "eth" ? { exists: 1 } : { bridge_ports: ports ?? "", bridge_stp: "off", bridge_fd: "0" }),
    ...(aware === "1" ? { bridge_vlan_aware: 1, bridge_vids: vids ?? "2-4094" } : {}),
    // Each line of a comment ends in a line break when it comes from the file.
    ...(comments === undefined ? {} : { comments: `${comments.replace(/\n$/, "")}\n` }),
  };
}

function list(call: Call): Record<string, unknown>[] {
  const network = networkOf(call.pve, required(call, "node"));
  const { type } = call.parameters;
  return (network.pending ?? network.applied).flatMap((entry, i) => {
    const wanted = type === undefined || type === entry.type || (type === "any_bridge" && entry.type === "bridge");
    const isApplied = network.applied.some(({ iface }) => iface === entry.iface);
    return wanted ? [shown(entry, i + 2, isApplied)] : [];
  });
}

/** The diff of the pending changes, which a list of interfaces has beside its data. */
function pendingChanges(pve: Pve, node: string): string | undefined {
  const network = networkOf(pve, node);
  return network.pending === undefined ? undefined : networkDiff(network.applied, network.pending);
}

const NETWORK = "/nodes/{node}/network";
export const NETWORK_ROUTES: readonly Route[] = [
  route("GET", NETWORK, ["type"], list, (call) => {
    const changes = pendingChanges(call.pve, required(call, "node"));
    return changes === undefined ? {} : { changes };
  }),
  route("POST", NETWORK, CHECKED, create),
  route("PUT", NETWORK, [], reload),
  route("DELETE", NETWORK, [], revert),
  route("GET", `${NETWORK}/{iface}`, [], (call) => {
    const found = list({ ...call, parameters: {} }).find(({ iface }) => iface === required(call, "iface"));
    if (!found) throw missing();
    const { iface, ...rest } = found;
    return rest;
  }),
  route("PUT", `${NETWORK}/{iface}`, CHECKED, update),
  route("DELETE", `${NETWORK}/{iface}`, [], remove),
];
