/** The drives of a VM definition: from the nested layout if it has one, otherwise from the flat list, as in the original. */
import type { VmDisk, VmPassthrough } from "../../../components/hosts/vm-spec";
import type { FlatDisk, PassthroughFile, VmFile } from "./vm-schema";

const GIB: Record<string, number> = { G: 1, T: 1024 };
const sizeGiB = (text: string): number => Number(text.slice(0, -1)) * (GIB[text.slice(-1)] ?? 1);

/** Reports a message at a key of the file. */
export type Report = (key: string, message: string) => void;

export interface Layout {
  disks: VmDisk[];
  passthrough: VmPassthrough[];
  cloudInit: { storage: string; interface: string } | undefined;
  cdrom: { interface: string; file: string } | undefined;
  /** Interface to the key of the file under which it stands. */
  places: Map<string, string>;
}

const LIMITS = [
  ["iops_r_concurrent", "iopsRead"],
  ["iops_r_burst", "iopsReadBurstable"],
  ["iops_wr_concurrent", "iopsWrite"],
  ["iops_wr_burst", "iopsWriteBurstable"],
  ["mbps_r_concurrent", "read"],
  ["mbps_r_burst", "readBurstable"],
  ["mbps_wr_concurrent", "write"],
  ["mbps_wr_burst", "writeBurstable"],
] as const;

/** Keys of the original that neither provider can pass on. */
const WITHOUT_EFFECT = ["readonly", "iops_r_burst_length", "iops_wr_burst_length"] as const;

function passthroughOf(device: PassthroughFile, place: string, warn: Report): VmPassthrough {
  for (const key of WITHOUT_EFFECT) if (device[key]) warn(`${place}.${key}`, "has no effect: the provider does not know this option of a disk");
  const speed = Object.fromEntries(LIMITS.flatMap(([key, name]) => (device[key] === undefined ? [] : [[name, device[key]]])));
  return {
    interface: "scsi1",
    device: device.file,
    backup: device.backup,
    replicate: device.replicate,
    discard: device.discard,
    emulateSsd: device.emulatessd,
    ioThread: device.iothread,
    sizeGiB: device.size === undefined ? undefined : sizeGiB(device.size),
    speed: Object.keys(speed).length === 0 ? undefined : speed,
  };
}

const empty = (): Layout => ({ disks: [], passthrough: [], cloudInit: undefined, cdrom: undefined, places: new Map() });

function nested({ scsi, ide }: NonNullable<VmFile["nested_disks"]>, warn: Report): Layout {
  const { disk } = scsi.scsi0;
  const layout = empty();
  layout.disks.push({ interface: "scsi0", storage: disk.storage, sizeGiB: sizeGiB(disk.size), format: disk.format ?? undefined });
  layout.places.set("scsi0", "nested_disks.scsi.scsi0.disk");
  if (scsi.scsi1) {
    const place = "nested_disks.scsi.scsi1.passthrough";
    layout.passthrough.push(passthroughOf(scsi.scsi1.passthrough, place, warn));
    layout.places.set("scsi1", place);
  }
  if (ide) {
    layout.cloudInit = { storage: ide.ide1.cloudinit.storage, interface: "ide1" };
    layout.places.set("ide1", "nested_disks.ide.ide1.cloudinit");
  }
  return layout;
}

/** A complaint: the key below the entry (empty for the whole entry), and what is wrong. */
type Complaint = [key: string, message: string] | undefined;

/** Puts one entry of the flat list where it belongs. */
function place(layout: Layout, disk: FlatDisk, key: string): Complaint {
  const other = layout.places.get(disk.slot);
  if (other !== undefined) return ["slot", `the slot ${disk.slot} is also that of ${other}`];
  layout.places.set(disk.slot, key);
  if (disk.cloudinit === true || disk.type === "cloudinit") {
    if (disk.storage === undefined) return ["", "a cloud-init drive needs a storage"];
    if (layout.cloudInit) return ["", `a VM has one cloud-init drive, and ${layout.cloudInit.interface} is one`];
    layout.cloudInit = { storage: disk.storage, interface: disk.slot };
  } else if (disk.type === "disk") {
    if (disk.iso != null) return ["iso", "an ISO belongs into a drive of the type cdrom"];
    if (disk.storage === undefined || disk.size === undefined) return ["", "a disk needs a storage and a size"];
    layout.disks.push({ interface: disk.slot, storage: disk.storage, sizeGiB: sizeGiB(disk.size), format: disk.format ?? undefined });
  } else if (disk.iso != null) {
    if (layout.cdrom) return ["iso", `a VM has one ISO drive, and ${layout.cdrom.interface} is one`];
    if (disk.slot.startsWith("virtio")) return ["slot", "an ISO drive is at ide, sata or scsi"];
    layout.cdrom = { interface: disk.slot, file: disk.iso };
  }
  return undefined;
}

/**
 * @param report takes what is wrong
 * @param warn takes what is accepted and has no effect
 */
export function layoutOf(vm: VmFile, report: Report, warn: Report): Layout {
  if (vm.nested_disks) return nested(vm.nested_disks, warn);
  const layout = empty();
  for (const [index, disk] of (vm.disks ?? []).entries()) {
    const complaint = place(layout, disk, `disks.${index}`);
    if (complaint) report(["disks", index, complaint[0]].filter((part) => part !== "").join("."), complaint[1]);
  }
  return layout;
}
