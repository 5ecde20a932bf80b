/**
 * Predicts what a change of a VM definition does to the existing VM, key by key. docs/vms.md shows the same table;
 * tests/contract/providers/vm-changes.test.ts compares it with the provider and Proxmox.
 */
import type { VmDisk, VmSpec } from "./vm-spec";

/**
 * - `in-place`: the running VM has it at once
 * - `restart`: in place, and a running VM is restarted to take it (or says that it must be, with `automatic_reboot: false`)
 * - `replace`: another VM in its place; disks are lost
 * - `impossible`: refused in the preview
 */
type VmEffect = "in-place" | "restart" | "replace" | "impossible";

export interface VmChange {
  /** Key of the VM file; drives by their slot, `scsi0.size`. */
  key: string;
  effect: VmEffect;
}

interface Row {
  key: string;
  effect: VmEffect;
  pick: (spec: VmSpec) => unknown;
}

/** Keys that are compared as a whole. `clone`, `full_clone` and `template` are not here: they are about new VMs only. */
const ROWS: readonly Row[] = [
  // The resource has the VM's name: another name is another resource, and so another VM.
  { key: "name", effect: "replace", pick: (s) => s.name },
  { key: "target_node", effect: "replace", pick: (s) => s.node },
  { key: "vm_id", effect: "replace", pick: (s) => s.vmId },
  { key: "cores", effect: "restart", pick: (s) => s.cores },
  { key: "sockets", effect: "restart", pick: (s) => s.sockets },
  { key: "memory", effect: "restart", pick: (s) => s.memoryMiB },
  { key: "cpu_type", effect: "restart", pick: (s) => s.cpuType },
  { key: "onboot", effect: "in-place", pick: (s) => s.onBoot },
  { key: "vm_state", effect: "in-place", pick: (s) => s.running },
  { key: "holds_data", effect: "in-place", pick: (s) => s.holdsData },
  { key: "args", effect: "restart", pick: (s) => s.args },
  { key: "boot", effect: "restart", pick: (s) => s.bootOrder },
  { key: "agent", effect: "restart", pick: (s) => s.agent },
  { key: "scsihw", effect: "restart", pick: (s) => s.scsiHardware },
  { key: "automatic_reboot", effect: "in-place", pick: (s) => s.automaticReboot },
  { key: "serial", effect: "restart", pick: (s) => s.serial },
  // What cloud-init gives the guest is read when it starts.
  { key: "ipconfig0", effect: "restart", pick: (s) => [s.cloudInit.ipv4, s.cloudInit.ipv6] },
  { key: "ciuser", effect: "restart", pick: (s) => s.cloudInit.user },
  { key: "sshkeys", effect: "restart", pick: (s) => s.cloudInit.sshKeys },
  { key: "nameserver", effect: "restart", pick: (s) => s.cloudInit.nameservers },
  { key: "cloudinit.storage", effect: "restart", pick: (s) => [s.cloudInit.interface, s.cloudInit.storage] },
  { key: "iso", effect: "restart", pick: (s) => s.cdrom },
  { key: "network", effect: "in-place", pick: (s) => s.network },
];

const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

const slots = (a: readonly { interface: string }[], b: readonly { interface: string }[]): string[] =>
  [...new Set([...a, ...b].map((drive) => drive.interface))].toSorted();

function diskChanges(slot: string, before: VmDisk | undefined, after: VmDisk | undefined): VmChange[] {
  // Proxmox plugs disks in and out of a running VM; a removed one stays in its storage as an unused disk.
  if (before === undefined || after === undefined) return [{ key: slot, effect: "in-place" }];
  const changes: VmChange[] = [];
  if (before.storage !== after.storage) changes.push({ key: `${slot}.storage`, effect: "restart" });
  if (before.sizeGiB !== after.sizeGiB) changes.push({ key: `${slot}.size`, effect: after.sizeGiB > before.sizeGiB ? "in-place" : "impossible" });
  if (before.format !== undefined && after.format !== undefined && before.format !== after.format)
    changes.push({ key: `${slot}.format`, effect: "impossible" });
  return changes;
}

/** Every key that differs, with what its change does. Empty: nothing happens. */
export function vmChanges(before: VmSpec, after: VmSpec): VmChange[] {
  const rows = ROWS.filter(({ pick }) => differs(pick(before), pick(after))).map(({ key, effect }) => ({ key, effect }));
  const disks = slots(before.disks, after.disks).flatMap((slot) => {
    const at = (spec: VmSpec) => spec.disks.find((disk) => disk.interface === slot);
    return diskChanges(slot, at(before), at(after));
  });
  const devices = slots(before.passthrough, after.passthrough).flatMap((slot): VmChange[] => {
    const [old, next] = [before, after].map((spec) => spec.passthrough.find((device) => device.interface === slot));
    if (!differs(old, next)) return [];
    return [{ key: slot, effect: old === undefined || next === undefined ? "in-place" : "restart" }];
  });
  return [...rows, ...disks, ...devices];
}

/**
 * The parts of a definition whose change restarts the VM: text by key. A key that is added or removed does not restart it. Empty with
 * `automatic_reboot: false`.
 */
export function restartParts(spec: VmSpec): Record<string, string> {
  if (!spec.automaticReboot) return {};
  const rows = ROWS.filter(({ effect }) => effect === "restart").map(({ key, pick }): [string, unknown] => [key, pick(spec)]);
  const disks = spec.disks.map((disk): [string, unknown] => [`${disk.interface}.storage`, disk.storage]);
  const devices = spec.passthrough.map((device): [string, unknown] => [device.interface, device]);
  return Object.fromEntries([...rows, ...disks, ...devices].map(([key, value]) => [key, JSON.stringify(value ?? null)]));
}

/** Whether the VM is restarted between two definitions, by their {@link restartParts}. */
export const restartsBetween = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): boolean =>
  Object.entries(after).some(([key, value]) => before[key] !== undefined && before[key] !== value);
