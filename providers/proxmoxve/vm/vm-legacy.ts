/** proxmoxve:index/vmLegacy:VmLegacy: a virtual machine or template. The id is the VM's number. */
import { HomelabError } from "../../../common/errors";
import { type BridgedCall, defineBridged } from "../../sdk/bridged";
import type { JsonObject } from "../../sdk/values";
import { asRecord, type PveClient, PveError } from "../client";
import { converge } from "./converge";
import { createVm } from "./create";
import { describeVm } from "./describe";
import { sharedInterfaces } from "./drives";
import { announce, assertPossible } from "./foresee";
import { parseVm, type Vm } from "./inputs";
import { Machine } from "./machine";
import { vmFields } from "./schema";

type Call = BridgedCall<PveClient>;

/** `100`, or `pve1/100` as an import may say. */
const numberOf = (id: string): number => Number(id.split("/").at(-1));

/** The VM's node and pool, as the cluster reports them; undefined: no node has the VM. */
async function findVm(client: PveClient, id: number, signal: AbortSignal): Promise<{ node: string; pool: string } | undefined> {
  const resources = await client.request("GET", "cluster/resources", signal, { type: "vm" });
  const found = (Array.isArray(resources) ? resources : []).map(asRecord).find((entry) => Number(entry["vmid"]) === id);
  return found === undefined ? undefined : { node: String(found["node"]), pool: String(found["pool"] ?? "") };
}

async function networkOutputs(machine: Machine, vm: Vm, status: JsonObject): Promise<JsonObject> {
  const isRunning = status["status"] === "running";
  const addresses = vm.agent.enabled && isRunning ? await machine.addresses(vm.agent, Number(status["uptime"] ?? 0)) : undefined;
  if (addresses === undefined) return { ipv4Addresses: [], ipv6Addresses: [], networkInterfaceNames: [] };
  return {
    ipv4Addresses: addresses.map((nic) => nic.ipv4),
    ipv6Addresses: addresses.map((nic) => nic.ipv6),
    networkInterfaceNames: addresses.map((nic) => nic.name),
    macAddresses: addresses.map((nic) => nic.mac),
  };
}

async function read(id: string, known: JsonObject, call: Call): Promise<JsonObject | undefined> {
  const vmId = numberOf(id);
  const place = await findVm(call.provider, vmId, call.signal);
  if (place === undefined) return undefined;
  const { node, pool } = place;
  const vm = parseVm({ ...known, nodeName: node, vmId });
  const machine = new Machine(call.provider, node, vmId, call);
  const [config, status] = await Promise.all([machine.config(), machine.status()]);
  if (config === undefined || status === undefined) return undefined;
  const running = status["status"] === "running";
  const described = describeVm(config, vm, config["template"] === "1" ? undefined : running);
  // The official plugin does not report the serial ports of a clone, so its states have none. A refresh here must not report them as a change.
  const seen = Object.keys(known).length > 0 && vm.serialDevices.length === 0 ? { serialDevices: [] } : {};
  const pooled = pool !== "" || vm.poolId !== "" ? { poolId: pool } : {};
  return { ...described, ...seen, ...pooled, nodeName: node, vmId, ...(await networkOutputs(machine, vm, status)) };
}

/** A pool that somebody deleted has no VM in it any more; nor has one that this VM was taken out of. */
async function leavePool(pool: string, id: number, { provider, signal }: Call): Promise<void> {
  try {
    await provider.request("PUT", `pools/${pool}`, signal, { vms: id, delete: true });
  } catch (thrown) {
    if (!(thrown instanceof PveError && /does not exist|no such pool|is not a pool member/.test(thrown.detail))) throw thrown;
  }
}

/** A VM is in one pool at most; Proxmox takes it out of the one before. */
async function updatePool(vm: Vm, olds: Vm, id: number, call: Call): Promise<void> {
  if (vm.poolId === olds.poolId) return;
  if (vm.poolId === "") return leavePool(olds.poolId, id, call);
  await call.provider.request("PUT", `pools/${vm.poolId}`, call.signal, { vms: id, "allow-move": true });
}

export const vmLegacy = defineBridged<PveClient>({
  token: "proxmoxve:index/vmLegacy:VmLegacy",
  fields: vmFields,
  computed: ["ipv4Addresses", "ipv6Addresses", "macAddresses", "networkInterfaceNames", "vmId", "bootOrders", "hotplug"],
  async create(inputs, call) {
    const { machine } = await createVm(call.provider, parseVm(inputs), inputs, call);
    return { id: String(machine.id), outputs: { vmId: machine.id } };
  },
  canonicalId: (id) => String(numberOf(id)),
  read,
  validate: sharedInterfaces,
  assertPossible,
  announce,
  async update(id, { olds, news, outputs }, call) {
    const vmId = numberOf(id);
    const [before, vm] = [parseVm({ ...olds, vmId }), parseVm({ ...news, vmId })];
    const node = typeof outputs["nodeName"] === "string" ? outputs["nodeName"] : vm.nodeName;
    await updatePool(vm, before, vmId, call);
    await converge(new Machine(call.provider, node, vmId, call), vm, before, call);
  },
  async delete(id, outputs, call) {
    // The disks are deleted with the VM, and need not be parsed: after a failed creation, the state may have incomplete ones.
    const vm = parseVm({ ...outputs, disks: [] });
    const machine = new Machine(call.provider, vm.nodeName, numberOf(id), call);
    if ((await machine.status()) === undefined) return;
    await machine.stop(vm, vm.stopOnDestroy || !vm.agent.enabled);
    const flags = { "destroy-unreferenced-disks": vm.deleteUnreferencedDisksOnDestroy, purge: vm.purgeOnDestroy };
    try {
      await call.provider.retrying(3, call.signal, () => call.provider.task("DELETE", `nodes/${vm.nodeName}/qemu/${machine.id}`, call.signal, flags));
    } catch (thrown) {
      if (thrown instanceof PveError && thrown.missing) return;
      throw thrown;
    }
    if ((await machine.status()) !== undefined) throw new HomelabError("E_VM_REMAINS", `VM ${machine.id} is still on ${vm.nodeName} after it was deleted`);
  },
});
