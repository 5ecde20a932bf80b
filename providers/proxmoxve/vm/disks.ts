/** Disks of a VM, to and from Proxmox's property strings. */
import { formatOptions, type PveOptions, parseOptions, sizeInGiB } from "../options";
import type { Disk } from "./inputs";

const positive = (value: number): number | undefined => (value > 0 ? value : undefined);

/** Everything but the volume. What a bus does not have is left out. */
function settings(disk: Disk): [string, string | number | boolean | undefined][] {
  const { speed } = disk;
  const bus = disk.interface.replace(/\d+$/, "");
  return [
    ["aio", disk.aio],
    ["backup", disk.backup],
    ["iops_rd", positive(speed?.iopsRead ?? 0)],
    ["iops_wr", positive(speed?.iopsWrite ?? 0)],
    ["iops_rd_max", positive(speed?.iopsReadBurstable ?? 0)],
    ["iops_wr_max", positive(speed?.iopsWriteBurstable ?? 0)],
    ["iothread", bus === "sata" || bus === "ide" ? undefined : disk.iothread],
    ["queues", positive(disk.queues)],
    ["serial", disk.serial === "" ? undefined : disk.serial],
    ["ssd", bus === "virtio" ? undefined : disk.ssd],
    ["discard", disk.discard],
    ["cache", disk.cache],
    ["mbps_rd_max", positive(speed?.readBurstable ?? 0)],
    ["mbps_wr_max", positive(speed?.writeBurstable ?? 0)],
    ["mbps_rd", positive(speed?.read ?? 0)],
    ["mbps_wr", positive(speed?.write ?? 0)],
    ["replicate", disk.replicate],
  ];
}

/** The volume, or the device of the host, that the inputs name; "" for a disk that Proxmox is to make. A device's own colons may part it in two. */
export function pathOf({ datastoreId, pathInDatastore }: Disk): string {
  if (pathInDatastore === "") return "";
  return datastoreId === "" ? pathInDatastore : `${datastoreId}:${pathInDatastore}`;
}

/** A device of the host rather than a volume of a datastore. */
export const isPassthrough = (disk: Disk): boolean => pathOf(disk).startsWith("/");

/** A disk that is not there yet: new, imported, or an existing path. */
export function newDisk(disk: Disk): string {
  const made = `${disk.datastoreId}:${disk.importFrom === "" ? disk.size : 0}`;
  return formatOptions([
    ["file", disk.importFrom === "" && pathOf(disk) !== "" ? pathOf(disk) : made],
    ["import-from", disk.importFrom === "" ? undefined : disk.importFrom],
    ["format", disk.fileFormat === "" ? undefined : disk.fileFormat],
    ...settings(disk),
  ]);
}

/** Proxmox's defaults for options that are not given. */
const OPTION_DEFAULTS: Record<string, string> = {
  aio: "io_uring",
  backup: "1",
  iothread: "0",
  ssd: "0",
  discard: "ignore",
  cache: "none",
  replicate: "1",
};

/** The string for a disk that is there, or undefined where nothing about it changes. Its volume and size stay. */
export function changedDisk(disk: Disk, live: string): string | undefined {
  const current = parseOptions(live, "file");
  const wanted = settings(disk).filter((entry) => entry[1] !== undefined);
  const text = (value: string | number | boolean | undefined): string => String(typeof value === "boolean" ? Number(value) : value);
  const optional = ["iops_rd", "iops_wr", "iops_rd_max", "iops_wr_max", "queues", "serial", "mbps_rd_max", "mbps_wr_max", "mbps_rd", "mbps_wr"];
  const differs = wanted.some(([name, value]) => (current.get(name) ?? OPTION_DEFAULTS[name]) !== text(value));
  const dropped = optional.some((name) => current.has(name) && !wanted.some(([other]) => other === name));
  if (!differs && !dropped) return undefined;
  return formatOptions([
    ["file", current.get("file")],
    ...[...current].filter(([name]) => name === "format" || name === "size" || name === "media"),
    ...wanted,
  ]);
}

/** The volume, or the device of the host, of a disk that is there. */
export const volumeOf = (live: string): string => parseOptions(live, "file").get("file") ?? "";

/**
 * Splits a volume into the datastore and the path in it, at the first colon even for a device of the host, as the official package does.
 * If the two split differently, each would find a change in a state of the other.
 */
function cutVolume(volume: string): { datastoreId: string; pathInDatastore: string } {
  const colon = volume.indexOf(":");
  return colon < 0 ? { datastoreId: "", pathInDatastore: volume } : { datastoreId: volume.slice(0, colon), pathInDatastore: volume.slice(colon + 1) };
}

export const datastoreOf = (live: string): string => cutVolume(volumeOf(live)).datastoreId;

/** GiB; 0 where Proxmox does not say. */
export const sizeOf = (live: string): number => sizeInGiB(parseOptions(live, "file").get("size") ?? "");

const STORAGE = /^(ide|sata|scsi|virtio)\d+$/;
const isCloudInit = (live: string): boolean => /[:/-]cloudinit\b|vm-\d+-cloudinit/.test(parseOptions(live, "file").get("file") ?? "");
const isCdrom = (live: string): boolean => parseOptions(live, "file").get("media") === "cdrom";

/** Interfaces that hold a disk: no CD drives, no cloud-init drive. */
export function diskInterfaces(config: Readonly<Record<string, string>>): string[] {
  return Object.keys(config).filter((key) => STORAGE.test(key) && !isCdrom(config[key] ?? "") && !isCloudInit(config[key] ?? ""));
}

export function cloudInitInterface(config: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(config).find((key) => STORAGE.test(key) && isCloudInit(config[key] ?? ""));
}

const number = (options: PveOptions, name: string): number => Number(options.get(name) ?? 0);

/** A disk as output. `known`: the program's values, for properties that Proxmox does not report. */
export function describeDisk(name: string, live: string, known: Disk | undefined): Disk {
  const options = parseOptions(live, "file");
  const volume = options.get("file") ?? "";
  const format = options.get("format") ?? /\.(qcow2|raw|vmdk)$/.exec(volume)?.[1] ?? known?.fileFormat ?? "";
  const speed = {
    iopsRead: number(options, "iops_rd"),
    iopsReadBurstable: number(options, "iops_rd_max"),
    iopsWrite: number(options, "iops_wr"),
    iopsWriteBurstable: number(options, "iops_wr_max"),
    read: number(options, "mbps_rd"),
    readBurstable: number(options, "mbps_rd_max"),
    write: number(options, "mbps_wr"),
    writeBurstable: number(options, "mbps_wr_max"),
  };
  return {
    interface: name,
    ...cutVolume(volume),
    fileFormat: format === "" ? "raw" : format,
    aio: options.get("aio") ?? "io_uring",
    backup: options.get("backup") !== "0",
    cache: options.get("cache") ?? "none",
    discard: options.get("discard") ?? "ignore",
    importFrom: known?.importFrom ?? "",
    iothread: options.get("iothread") === "1",
    queues: number(options, "queues"),
    replicate: options.get("replicate") !== "0",
    serial: options.get("serial") ?? "",
    // The size of a host's device cannot be set: a size in the inputs has no effect, and a difference is no drift.
    size: known !== undefined && (isPassthrough(known) || !options.has("size")) ? known.size : sizeOf(live),
    ssd: options.get("ssd") === "1",
    ...(Object.values(speed).some((value) => value > 0) || known?.speed !== undefined ? { speed } : {}),
  };
}
