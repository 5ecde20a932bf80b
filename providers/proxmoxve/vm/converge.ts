/**
 * Changes an existing VM so that it matches its inputs. Only what differs from Proxmox's own configuration is changed. This is the second
 * half of a clone, the whole of an update, and what completes an interrupted creation.
 */
import { HomelabError } from "../../../common/errors";
import type { CallContext } from "../../sdk/resource";
import { configOf, needsRestart, type PveConfig, sameSetting } from "./config";
import { changedDisk, cloudInitInterface, datastoreOf, diskInterfaces, isPassthrough, newDisk, pathOf, sizeOf, volumeOf } from "./disks";
import { CLOUD_INIT_PLACE } from "./drives";
import type { Disk, Vm } from "./inputs";
import type { Machine } from "./machine";

interface Plan {
  set: Record<string, string>;
  remove: string[];
  moves: { disk: string; storage: string }[];
  resizes: { disk: string; size: string }[];
  /** Keys that take effect with the next start of a running VM. */
  restart: boolean;
}

/** Keys that are there and should not be: those of the last inputs, and devices beyond the wanted ones. */
function surplus(vm: Vm, olds: Vm | undefined, live: PveConfig, wanted: Record<string, string | undefined>): string[] {
  const before = olds === undefined ? [] : Object.entries(configOf(olds)).filter(([, value]) => value !== undefined);
  const dropped = before.map(([key]) => key).filter((key) => wanted[key] === undefined && live[key] !== undefined && key !== "boot" && key !== "hotplug");
  // A serial port that neither the last inputs nor these name was the template's: taking it away would cost a VM that runs a restart.
  const serialPorts = olds === undefined || olds.serialDevices.length > 0 || vm.serialDevices.length > 0;
  const devices = Object.keys(live).filter((key) => (vm.networkDevices !== undefined && /^net\d+$/.test(key)) || (serialPorts && /^serial\d+$/.test(key)));
  return [...new Set([...dropped, ...devices.filter((key) => wanted[key] === undefined)])];
}

function planDisk(plan: Plan, disk: Disk, live: PveConfig): void {
  const current = live[disk.interface];
  if (current === undefined) {
    plan.set[disk.interface] = newDisk(disk);
    return;
  }
  if (isPassthrough(disk) && volumeOf(current) !== pathOf(disk)) {
    plan.set[disk.interface] = newDisk(disk);
    plan.restart = true;
    return;
  }
  const changed = changedDisk(disk, current);
  if (changed !== undefined) {
    plan.set[disk.interface] = changed;
    plan.restart = true;
  }
  if (!isPassthrough(disk) && disk.datastoreId !== "" && disk.datastoreId !== datastoreOf(current))
    plan.moves.push({ disk: disk.interface, storage: disk.datastoreId });
  const [has, wants] = [sizeOf(current), disk.size];
  if (disk.pathInDatastore !== "" || has === 0 || has === wants) return;
  if (wants < has) {
    throw new HomelabError("E_DISK_SHRINK", `disk ${disk.interface}: Proxmox cannot make it smaller (${has} GiB now, ${wants} GiB wanted)`, {
      hint: "keep the size, or replace the VM",
    });
  }
  plan.resizes.push({ disk: disk.interface, size: `${wants}G` });
}

/** Disks that the last inputs had and these do not. A clone keeps what came with its template and was never asked for. */
function planRemovedDisks(plan: Plan, vm: Vm, olds: Vm | undefined, live: PveConfig): void {
  const kept = new Set(vm.disks.map((disk) => disk.interface));
  const present = diskInterfaces(live);
  const gone = (olds?.disks ?? []).map((disk) => disk.interface).filter((name) => !kept.has(name) && present.includes(name));
  for (const name of gone) {
    if (vm.bootOrders.includes(name)) {
      throw new HomelabError("E_BOOT_DISK", `disk ${name} is in the boot order and cannot be removed`, { hint: "take it out of bootOrders first" });
    }
    plan.remove.push(name);
  }
}

/** Where the cloud-init drive has to go, or undefined where it is right. */
function cloudInitDrive(vm: Vm, live: PveConfig): { at: string; value: string; instead: string | undefined } | undefined {
  const { initialization } = vm;
  if (initialization === undefined) return undefined;
  const current = cloudInitInterface(live);
  const at = initialization.interface === "" ? (current ?? CLOUD_INIT_PLACE) : initialization.interface;
  if (current === at && datastoreOf(live[at] ?? "") === initialization.datastoreId) return undefined;
  const format = initialization.fileFormat === "" ? "" : `,format=${initialization.fileFormat}`;
  return { at, value: `file=${initialization.datastoreId}:cloudinit${format}`, instead: current };
}

function planChanges(vm: Vm, olds: Vm | undefined, live: PveConfig): Plan {
  const wanted = configOf(vm);
  const plan: Plan = { set: {}, remove: surplus(vm, olds, live, wanted), moves: [], resizes: [], restart: false };
  for (const [key, value] of Object.entries(wanted)) {
    if (value !== undefined && !sameSetting(key, live[key], value)) plan.set[key] = value;
  }
  const password = vm.initialization?.userAccount?.password ?? "";
  if (password !== "" && olds !== undefined && password !== (olds.initialization?.userAccount?.password ?? "")) plan.set["cipassword"] = password;
  plan.restart = needsRestart([...Object.keys(plan.set), ...plan.remove]);
  for (const disk of vm.disks) planDisk(plan, disk, live);
  planRemovedDisks(plan, vm, olds, live);
  return plan;
}

/** Whether a VM with this configuration is what the inputs say, its power apart. */
export function needsNothing(vm: Vm, live: PveConfig): boolean {
  const { set, remove, moves, resizes } = planChanges(vm, undefined, live);
  return Object.keys(set).length + remove.length + moves.length + resizes.length === 0 && cloudInitDrive(vm, live) === undefined;
}

async function apply(machine: Machine, vm: Vm, plan: Plan, live: PveConfig): Promise<void> {
  const drive = cloudInitDrive(vm, live);
  if (drive !== undefined) {
    const occupied = [drive.at, drive.instead].filter((name): name is string => name !== undefined && live[name] !== undefined);
    await machine.configure({}, [...new Set(occupied)]);
    plan.set[drive.at] = drive.value;
  }
  await machine.configure(plan.set, plan.remove);
  for (const { disk, storage } of plan.moves) await machine.task("POST", "move_disk", { disk, storage, delete: true }, vm.timeoutMoveDisk * 1000);
  for (const resize of plan.resizes) await machine.task("PUT", "resize", resize);
}

/**
 * @param olds the inputs of the last run; undefined right after a clone
 * @throws HomelabError where a change is impossible or must not restart the VM
 */
export async function converge(machine: Machine, vm: Vm, olds: Vm | undefined, call: CallContext): Promise<void> {
  const live = await machine.config();
  if (live === undefined) throw new HomelabError("E_NO_VM", `VM ${machine.id} is not on ${machine.node} any more`, { hint: "run a refresh" });
  const plan = planChanges(vm, olds, live);
  const isTemplate = live["template"] === "1";
  if (isTemplate && !vm.template) throw new HomelabError("E_TEMPLATE", `template ${machine.id} cannot become a VM again`, { hint: "make a clone of it" });
  const wasRunning = !isTemplate && (await machine.isRunning());
  const offline = plan.moves.length > 0 || cloudInitDrive(vm, live) !== undefined;
  if (wasRunning && offline) {
    if (!vm.rebootAfterUpdate) throw restartRefused(machine, "moving a disk or the cloud-init drive");
    await machine.stop(vm, live["agent"] === undefined || !vm.agent.enabled);
  }
  await apply(machine, vm, plan, live);
  if (vm.template) {
    if (!isTemplate) {
      await machine.stop(vm, !vm.agent.enabled);
      await machine.task("POST", "template", {});
    }
    return;
  }
  await power(machine, vm, call, wasRunning && plan.restart && !offline);
}

async function power(machine: Machine, vm: Vm, call: CallContext, restart: boolean): Promise<void> {
  if (!vm.started) return machine.stop(vm, !vm.agent.enabled);
  if (restart) {
    if (vm.rebootAfterUpdate) await machine.stop(vm, !vm.agent.enabled);
    else call.log("warning", `VM ${machine.id} must be restarted before all changes take effect; rebootAfterUpdate is false`);
  }
  return machine.start(vm);
}

const restartRefused = (machine: Machine, what: string): HomelabError =>
  new HomelabError("E_NO_REBOOT", `${what} needs VM ${machine.id} to be off, and rebootAfterUpdate is false`, {
    hint: "shut it down yourself, or set rebootAfterUpdate",
  });
