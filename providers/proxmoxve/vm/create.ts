/** Makes a VM: as a clone of a template, or from nothing. */
import { startDeadline } from "../../../common/deadline";
import { asError, describeError, HomelabError } from "../../../common/errors";
import { type CallContext, PartialFailure } from "../../sdk/resource";
import type { JsonObject } from "../../sdk/values";
import { asRecord, type Params, type PveClient } from "../client";
import { inCloneTurn, isCloneWait } from "./clone-turn";
import { configOf } from "./config";
import { converge } from "./converge";
import { isOfCutCreation, markedDescription } from "./cut-create";
import { newDisk } from "./disks";
import { CLOUD_INIT_PLACE } from "./drives";
import type { Vm } from "./inputs";
import { Machine } from "./machine";

export interface Made {
  machine: Machine;
  vm: Vm;
}

interface Call extends CallContext {
  urn: string;
}

/** The error of a creation that takes too long. @param limit the input with the time limit */
const creationTimeout = (id: number, vm: Vm, limit: "timeoutClone" | "timeoutCreate"): HomelabError =>
  new HomelabError("E_PROXMOX_TIMEOUT", `VM ${id} was not made on ${vm.nodeName} within ${vm[limit]} s`, {
    hint: `see in Proxmox what it waits for, or raise ${limit}`,
  });

/** Whether every disk of a VM lies where each node can reach it. */
async function onSharedStorage(client: PveClient, node: string, vmId: number, signal: AbortSignal): Promise<boolean> {
  const config = asRecord(await client.request("GET", `nodes/${node}/qemu/${vmId}/config`, signal));
  const volumes = Object.entries(config).filter(([key, value]) => /^(ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/.test(key) && String(value).includes(":"));
  const stores = new Set(
    volumes.map(
      ([, value]) =>
        String(value)
          .replace(/^file=/, "")
          .split(":")[0] ?? "",
    ),
  );
  for (const store of stores) {
    const status = asRecord(await client.request("GET", `nodes/${node}/storage/${store}/status`, signal));
    if (Number(status["shared"] ?? 0) !== 1) return false;
  }
  return true;
}

async function clone(client: PveClient, vm: Vm, id: number, source: NonNullable<Vm["clone"]>, call: Call): Promise<void> {
  const from = source.nodeName === "" ? vm.nodeName : source.nodeName;
  const elsewhere = from !== vm.nodeName;
  const shared = elsewhere && (await onSharedStorage(client, from, source.vmId, call.signal));
  const params: Params = {
    newid: id,
    full: source.full,
    storage: source.datastoreId === "" || (elsewhere && !shared) ? undefined : source.datastoreId,
    description: markedDescription(vm, call.urn),
    name: vm.name === "" ? undefined : vm.name,
    pool: vm.poolId === "" ? undefined : vm.poolId,
    target: shared ? vm.nodeName : undefined,
  };
  const path = `nodes/${from}/qemu/${source.vmId}/clone`;
  await client.retrying(Math.max(1, source.retries), call.signal, () => inCloneTurn(client, from, call, () => client.task("POST", path, call.signal, params)));
  if (!elsewhere || shared) return;
  const made = new Machine(client, from, id, call);
  await made.unlocked();
  const target = { target: vm.nodeName, "with-local-disks": true, targetstorage: source.datastoreId === "" ? undefined : source.datastoreId };
  await made.task("POST", "migrate", target, vm.timeoutMigrate * 1000);
}

/** CD drive, disks of the usual first places, network: what Proxmox would otherwise not boot from. */
function bootOrder(vm: Vm): string {
  const places = ["ide0", "sata0", "scsi0", "virtio0"].filter((name) => vm.disks.some((disk) => disk.interface === name));
  const order = [...(vm.cdrom === undefined ? [] : [vm.cdrom.interface]), ...places, ...(vm.networkDevices === undefined ? [] : ["net0"])];
  return `order=${order.join(";")}`;
}

function creationParams(vm: Vm, id: number, urn: string): Params {
  const params: Params = { vmid: id, ...configOf(vm), description: markedDescription(vm, urn), pool: vm.poolId === "" ? undefined : vm.poolId };
  if (vm.bootOrders.length === 0) params["boot"] = bootOrder(vm);
  for (const disk of vm.disks) params[disk.interface] = newDisk(disk);
  if (vm.initialization !== undefined)
    params[vm.initialization.interface === "" ? CLOUD_INIT_PLACE : vm.initialization.interface] = `file=${vm.initialization.datastoreId}:cloudinit`;
  return params;
}

/**
 * Whether the VM exists already because a creation of this resource was interrupted.
 * @throws HomelabError E_VM_EXISTS where it is another one
 */
async function isLeftOver(machine: Machine, vm: Vm, call: Call): Promise<boolean> {
  if ((await machine.status()) === undefined) return false;
  const { id } = machine;
  if (await isOfCutCreation(machine, vm, call.urn)) {
    call.log("warning", `VM ${id} is on ${vm.nodeName} already, left by an interrupted creation: it is taken over and completed`);
    return true;
  }
  throw new HomelabError("E_VM_EXISTS", `VM ${id} is on ${vm.nodeName} already`, { hint: "choose another vmId, import the VM, or delete it" });
}

/** Whether the VM may exist. False only where Proxmox says that it does not. */
async function mayExist(machine: Machine): Promise<boolean> {
  try {
    return (await machine.status()) !== undefined;
  } catch {
    // The first failure is the one to report.
    return true;
  }
}

/** Makes the VM, or completes the one that an interrupted creation has left. */
async function made(machine: Machine, leftOver: boolean, client: PveClient, vm: Vm, call: Call): Promise<void> {
  const { id } = machine;
  if (leftOver) await machine.unlocked();
  else if (vm.clone === undefined) await client.task("POST", `nodes/${vm.nodeName}/qemu`, call.signal, creationParams(vm, id, call.urn));
  else await clone(client, vm, id, vm.clone, call);
  if (vm.clone !== undefined) await machine.unlocked();
  await converge(machine, { ...vm, description: markedDescription(vm, call.urn) }, undefined, call);
  // The mark is removed last. If this run is interrupted before, the next one finds it.
  await (vm.description === "" ? machine.configure({}, ["description"]) : machine.configure({ description: vm.description }));
  if (vm.reboot && vm.started && !vm.template) await machine.restart(vm);
}

/** @throws PartialFailure once the VM exists, so that the state knows of it */
export async function createVm(client: PveClient, vm: Vm, inputs: JsonObject, call: Call): Promise<Made> {
  const id = vm.vmId ?? (await client.nextId(call.signal));
  const limit = vm.clone === undefined ? "timeoutCreate" : "timeoutClone";
  const { signal, end } = startDeadline(call.signal, vm[limit] * 1000, () => creationTimeout(id, vm, limit));
  const limited = { ...call, signal };
  const machine = new Machine(client, vm.nodeName, id, limited);
  try {
    const leftOver = await isLeftOver(machine, vm, limited);
    try {
      await made(machine, leftOver, client, vm, limited);
    } catch (thrown) {
      // A cancelled call cannot ask Proxmox, nor can a call whose Proxmox does not answer. Then the VM counts as existing, and a
      // refresh corrects that.
      const exists = call.signal.aborted || (await mayExist(new Machine(client, vm.nodeName, id, call)));
      // If the time limit ended the call, the error says so, unless the call's own error names what the clone waited for.
      const ended = signal.aborted && !call.signal.aborted && !isCloneWait(thrown);
      const cause = asError(ended ? signal.reason : thrown);
      if (!exists) throw cause;
      throw new PartialFailure(String(id), { ...inputs, vmId: id }, [cause instanceof HomelabError ? describeError(cause) : cause.message], { cause });
    }
    return { machine: new Machine(client, vm.nodeName, id, call), vm };
  } finally {
    end();
  }
}
