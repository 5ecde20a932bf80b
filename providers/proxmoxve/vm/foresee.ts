/** Predicts from the inputs alone what an update of a VM will do: for previews. */
import { HomelabError } from "../../../common/errors";
import { containsUnknown, toJsonObject, type Values } from "../../sdk/values";
import { configOf, needsRestart } from "./config";
import { changedDisk, isPassthrough, newDisk, pathOf } from "./disks";
import { type Disk, parseVm, type Vm } from "./inputs";

/** Both as VMs, or undefined where something is not known yet. */
function parsed(olds: Values, news: Values): [Vm, Vm] | undefined {
  return containsUnknown(olds) || containsUnknown(news) ? undefined : [parseVm(toJsonObject(olds)), parseVm(toJsonObject(news))];
}

function pairs(olds: Vm, news: Vm): [Disk, Disk][] {
  return news.disks.flatMap((disk): [Disk, Disk][] => {
    const before = olds.disks.find((other) => other.interface === disk.interface);
    return before === undefined || disk.pathInDatastore !== "" ? [] : [[before, disk]];
  });
}

/** @throws HomelabError E_DISK_SHRINK, E_DISK_FORMAT for what Proxmox cannot do to a disk that is there */
export function assertPossible(olds: Values, news: Values): void {
  const vms = parsed(olds, news);

  if (vms === undefined) return;
  for (const [before, after] of pairs(...vms)) {
    if (after.size < before.size) {
      throw new HomelabError("E_DISK_SHRINK", `disk ${after.interface}: Proxmox cannot make it smaller (${before.size} GiB now, ${after.size} GiB wanted)`, {
        hint: "keep the size, or replace the VM",
      });
    }
    if (before.fileFormat !== "" && after.fileFormat !== "" && before.fileFormat !== after.fileFormat) {
      throw new HomelabError("E_DISK_FORMAT", `disk ${after.interface}: its format cannot change (${before.fileFormat} now, ${after.fileFormat} wanted)`, {
        hint: "keep the format, or replace the VM",
      });
    }
  }
}

const driveOf = ({ initialization }: Vm): string => `${initialization?.interface}/${initialization?.datastoreId}`;

/** Inputs' keys, as Proxmox names them, whose change waits for a restart. */
function restartReasons(olds: Vm, news: Vm): string[] {
  const [before, after] = [configOf(olds), configOf(news)];
  const keys = Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key] && needsRestart([key]));
  const disks = news.disks.flatMap((disk) => {
    const old = olds.disks.find((other) => other.interface === disk.interface);
    if (old === undefined) return [];
    const moved = pathOf(old) !== pathOf(disk) || (!isPassthrough(disk) && old.datastoreId !== disk.datastoreId);
    return moved || changedDisk(disk, newDisk(old)) !== undefined ? [disk.interface] : [];
  });
  return [...keys, ...disks, ...(driveOf(olds) === driveOf(news) ? [] : ["cloud-init drive"])].toSorted();
}

const storedAt = (disk: Disk): string => (isPassthrough(disk) ? pathOf(disk) : `${disk.datastoreId}, ${disk.size} GiB`);

/** Devices that the last inputs had and these do not. */
function losses(id: string, before: Vm, after: Vm): string[] {
  const kept = new Set(after.disks.map((disk) => disk.interface));
  const beyond = <T>(kind: string, olds: readonly T[], news: readonly T[]): string[] => olds.slice(news.length).map((_, i) => `${kind}${news.length + i}`);
  const network = after.networkDevices === undefined ? [] : beyond("net", before.networkDevices ?? [], after.networkDevices);
  const gone = [...network, ...beyond("serial", before.serialDevices, after.serialDevices)];
  const [oldDrive, newDrive] = [before.cdrom?.interface, after.cdrom?.interface];
  return [
    ...before.disks.filter((disk) => !kept.has(disk.interface)).map((disk) => `VM ${id} loses its disk ${disk.interface} (${storedAt(disk)})`),
    ...gone.map((name) => `VM ${id} loses its device ${name}`),
    ...(oldDrive === undefined || oldDrive === newDrive
      ? []
      : [`VM ${id}'s CD drive ${newDrive === undefined ? `${oldDrive} goes` : `moves from ${oldDrive} to ${newDrive}`}`]),
  ];
}

/** What a person should know before a VM is updated. */
export function announce(id: string, olds: Values, news: Values): string[] {
  const vms = parsed(olds, news);
  return vms === undefined ? [] : [...losses(id, ...vms), ...powerChanges(id, ...vms)];
}

/** What an update does to the power of a running VM. */
function powerChanges(id: string, before: Vm, after: Vm): string[] {
  if (before.template || !before.started) return [];
  if (!after.started) return [`VM ${id} will be shut down`];
  const reasons = restartReasons(before, after).join(", ");
  if (reasons === "") return [];
  return [after.rebootAfterUpdate ? `VM ${id} will be restarted for: ${reasons}` : `VM ${id} takes these only when it is restarted: ${reasons}`];
}
