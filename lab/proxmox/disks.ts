import { PveError, parameterError, TaskError } from "./errors";
import { contentOf, findVolume, formatSize, GIB, type Pve, parseSize, storageOf, type Vm, type Volume } from "./model";

export const DISK_KEY = /^(scsi|virtio|sata|ide|efidisk|tpmstate)\d+$/;

export interface DiskText {
  file: string;
  options: Map<string, string>;
}

/** `local-lvm:vm-100-disk-0,size=30G,ssd=1` in its parts. */
export function parseDisk(text: string): DiskText {
  const options = new Map<string, string>();
  let file = "";
  for (const part of text.split(",").filter((p) => p !== "")) {
    const at = part.indexOf("=");
    if (at < 0) file = part;
    else if (part.startsWith("file=")) file = part.slice(5);
    else options.set(part.slice(0, at), part.slice(at + 1));
  }
  return { file, options };
}

export function printDisk({ file, options }: DiskText): string {
  return [file, ...[...options].map(([key, value]) => `${key}=${value}`)].join(",");
}

const volumeName = (pve: Pve, node: string, storage: string, vmid: number, kind: "vm" | "base"): string => {
  for (let n = 0; ; n++) {
    const volid = `${storage}:${kind}-${vmid}-disk-${n}`;
    if (!pve.state.volumes.some((v) => v.volid === volid && v.node === node)) return volid;
  }
};

function allocate(pve: Pve, vm: Vm, storageName: string, size: number, image: Volume["image"]): Volume {
  const storage = storageOf(pve, vm.node, storageName);
  if (!contentOf(storage).includes("images")) throw new PveError(500, `storage '${storageName}' does not support vm images`);
  const volume: Volume = {
    node: vm.node,
    storage: storageName,
    volid: volumeName(pve, vm.node, storageName, vm.vmid, "vm"),
    content: "images",
    format: "raw",
    size,
    vmid: vm.vmid,
    ctime: Math.floor(pve.ctx.clock.now() / 1000),
    ...(image === undefined ? {} : { image }),
  };
  pve.state.volumes.push(volume);
  return volume;
}

/** Virtual size of a cloud image, independent of the size of its stand-in. */
const IMAGE_SIZE = 3584 * 1024 ** 2;

/** What each physical disk of a node holds. */
const PHYSICAL_BYTES = 1000 * GIB;

/**
 * Turns a disk that a request asks for into one that exists: `storage:GIB` and `import-from` allocate, `storage:cloudinit` makes
 * the cloud-init drive, an existing volume or device of the node is attached.
 * @returns the value for the configuration
 */
export function realizeDisk(pve: Pve, vm: Vm, key: string, text: string): string {
  const disk = parseDisk(text);
  const [storage = "", path = ""] = disk.file.split(":");
  if (disk.file === "none" || disk.file === "cdrom") return text;
  if (disk.file.startsWith("/")) {
    // Proxmox writes down what the device holds, whatever size is asked for.
    disk.options.set("size", formatSize(PHYSICAL_BYTES));
    return printDisk(disk);
  }
  if (path === "cloudinit" || path === `vm-${vm.vmid}-cloudinit`) return cloudInitDrive(pve, vm, storage);
  if (!/^\d+(\.\d+)?$/.test(path)) {
    const volume = findVolume(pve, vm.node, disk.file);
    if (volume.content === "images") disk.options.set("size", formatSize(volume.size));
    return printDisk(disk);
  }
  const from = disk.options.get("import-from");
  disk.options.delete("import-from");
  if (from === undefined && Number(path) === 0) throw parameterError({ [key]: "unable to allocate a disk of size 0" });
  const source = from === undefined ? undefined : importSource(pve, vm.node, key, from);
  const volume = allocate(pve, vm, storage, source ? Math.max(source.size, IMAGE_SIZE) : Math.round(Number(path) * GIB), source?.image);
  disk.options.delete("format");
  disk.options.set("size", formatSize(volume.size));
  return printDisk({ file: volume.volid, options: disk.options });
}

function importSource(pve: Pve, node: string, key: string, from: string): Volume {
  if (from.startsWith("/")) throw new PveError(403, "Only root can pass arbitrary filesystem paths.");
  storageOf(pve, node, from.split(":")[0] ?? "");
  const volume = findVolume(pve, node, from);
  if (volume.content !== "images" && volume.content !== "import") {
    throw parameterError({ [key]: `import-from: '${from}' has wrong type '${volume.content}' - needs to be 'images' or 'import'` });
  }
  return volume;
}

function cloudInitDrive(pve: Pve, vm: Vm, storage: string): string {
  storageOf(pve, vm.node, storage);
  const volid = `${storage}:vm-${vm.vmid}-cloudinit`;
  if (!pve.state.volumes.some((v) => v.volid === volid && v.node === vm.node)) {
    pve.state.volumes.push({
      node: vm.node,
      storage,
      volid,
      content: "images",
      format: "raw",
      size: 4194304,
      vmid: vm.vmid,
      ctime: Math.floor(pve.ctx.clock.now() / 1000),
    });
  }
  return `${volid},media=cdrom,size=4M`;
}

export function diskKeys(vm: Vm): string[] {
  return Object.keys(vm.config).filter((key) => DISK_KEY.test(key));
}

/** The volume behind a disk key, undefined for an empty drive or a passthrough. */
export function volumeOf(pve: Pve, vm: Vm, key: string): Volume | undefined {
  const { file } = parseDisk(vm.config[key] ?? "");
  return pve.state.volumes.find((v) => v.volid === file && v.node === vm.node);
}

/** The disk that the VM boots from: the first of `boot: order=…` that is a disk, else the first disk. */
export function bootVolume(pve: Pve, vm: Vm): Volume | undefined {
  const order = /order=([^,]*)/.exec(vm.config["boot"] ?? "")?.[1]?.split(";") ?? [];
  const keys = [...order, ...diskKeys(vm).sort()].filter((key) => DISK_KEY.test(key) && !/media=cdrom/.test(vm.config[key] ?? ""));
  return keys.map((key) => volumeOf(pve, vm, key)).find((v) => v !== undefined);
}

/** @param text `30G` (absolute) or `+10G` */
export function resize(pve: Pve, vm: Vm, key: string, text: string): void {
  const volume = volumeOf(pve, vm, key);
  const disk = parseDisk(vm.config[key] ?? "");
  if (!volume) throw new TaskError(`disk '${key}' does not exist`);
  const amount = parseSize(text.replace(/^\+/, ""));
  if (amount === undefined) throw parameterError({ size: "value does not match the regex pattern" });
  const size = text.startsWith("+") ? volume.size + amount : amount;
  if (size < volume.size) throw new TaskError("shrinking disks is not supported");
  volume.size = size;
  disk.options.set("size", formatSize(size));
  vm.config[key] = printDisk(disk);
}

/** Copies the disks of a VM for its clone. Linked clones of the lab take no space, and are otherwise the same. */
export function cloneDisks(pve: Pve, source: Vm, target: Vm, storage: string | undefined): void {
  for (const key of diskKeys(source)) {
    const text = source.config[key] ?? "";
    const volume = volumeOf(pve, source, key);
    const disk = parseDisk(text);
    if (!volume) target.config[key] = text;
    else if (/-cloudinit$/.test(volume.volid)) target.config[key] = cloudInitDrive(pve, target, storage ?? volume.storage);
    else {
      const copy = allocate(pve, target, storage ?? volume.storage, volume.size, volume.image);
      target.config[key] = printDisk({ file: copy.volid, options: disk.options });
    }
  }
}

export function freeDisks(pve: Pve, vm: Vm): void {
  pve.state.volumes = pve.state.volumes.filter((v) => !(v.vmid === vm.vmid && v.node === vm.node));
}
