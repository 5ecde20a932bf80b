import { createHash } from "node:crypto";
import { DISK_KEY, diskKeys, parseDisk, realizeDisk, volumeOf } from "./disks";
import { PveError, parameterError } from "./errors";
import { digestOf, formatSize, GIB, type GuestSpec, type PassedThroughDisk, type Pve, parseSize, type Vm } from "./model";
import { NOT_IN_SCHEMA } from "./router";
import { unescaped } from "./unescaped";

/** Options of a VM's configuration, from the API's schema of PVE 8. */
const OPTIONS = new Set(
  "acpi affinity agent amd-sev arch args autostart audio0 balloon bios boot bootdisk cdrom cicustom cipassword citype ciupgrade ciuser cores cpu cpulimit cpuunits description freeze hookscript hotplug hugepages ivshmem keephugepages keyboard kvm localtime machine memory migrate_downtime migrate_speed name nameserver numa onboot ostype protection reboot rng0 scsihw searchdomain shares smbios1 smp sockets spice_enhancements sshkeys startdate startup tablet tags tdf template vcpus vga vmgenid vmstatestorage watchdog".split(
    " ",
  ),
);
const NUMBERED = /^(net|ipconfig|serial|parallel|usb|hostpci|numa|unused|virtiofs)\d+$/;
/** Parameters of requests that are no options. Each call says which of them it accepts. */
const REQUEST_ONLY = new Set(["vmid", "delete", "digest", "pool", "skiplock", "start"]);
/** Options that the API gives as numbers. */
const INTEGERS = new Set([
  "acpi",
  "autostart",
  "balloon",
  "cores",
  "cpuunits",
  "freeze",
  "keephugepages",
  "kvm",
  "localtime",
  "numa",
  "onboot",
  "protection",
  "reboot",
  "shares",
  "sockets",
  "tablet",
  "tdf",
  "template",
  "vcpus",
  "ciupgrade",
]);

/** Enumerations of the API's schema. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  bios: ["seabios", "ovmf"],
  citype: ["configdrive2", "nocloud", "opennebula"],
  hugepages: ["any", "2", "1024"],
  ostype: ["other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24", "l26", "solaris"],
  scsihw: ["lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"],
};

const isOption = (key: string): boolean => OPTIONS.has(key) || NUMBERED.test(key) || DISK_KEY.test(key);

function problemOf(key: string, value: string): string | undefined {
  if (!isOption(key)) return NOT_IN_SCHEMA;
  if (key === "name" && !/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(value))
    return "invalid format - value does not look like a valid DNS name";
  const isNumber = /^(cores|sockets|vcpus|balloon|shares|cpuunits)$/.test(key);
  if (INTEGERS.has(key) && !(isNumber ? /^\d+$/ : /^[01]$/).test(value)) return `type check ('${isNumber ? "integer" : "boolean"}') failed - got '${value}'`;
  const choices = CHOICES[key];
  if (choices !== undefined && !choices.includes(value)) return `value '${value}' does not have a value in the enumeration '${choices.join(", ")}'`;
  if (/^(cores|sockets|vcpus)$/.test(key) && Number(value) < 1) return "value must have a minimum value of 1";
  if (key === "memory" && !/^(current=)?\d+$/.test(value))
    return `invalid format - format error\nmemory.current: type check ('integer') failed - got '${value}'`;
  if (/^net\d+$/.test(key) && !/^(virtio|e1000|rtl8139|vmxnet3|model=)/.test(value))
    return "invalid format - format error\nnet.model: property is missing and it is not optional";
  if (/^ipconfig\d+$/.test(key) && value !== "" && !/^((ip|gw|ip6|gw6)=[^,]+)(,(ip|gw|ip6|gw6)=[^,]+)*$/.test(value)) return "invalid format - format error";
  return undefined;
}

/**
 * Checks a request's parameters against the schema.
 * @param also parameters of the request that are no options of the VM
 * @throws PveError 400 that names each wrong one
 */
export function checkParameters(parameters: Readonly<Record<string, string>>, also: readonly string[]): void {
  const problems: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters)) {
    if (also.includes(key)) continue;
    const problem = REQUEST_ONLY.has(key) ? NOT_IN_SCHEMA : problemOf(key, value);
    if (problem !== undefined) problems[key] = problem;
  }
  if (Object.keys(problems).length > 0) throw parameterError(problems);
}

/** A MAC address in Proxmox's range: another one for each VM that is made, also under an id that was used before. */
function macOf(pve: Pve, vmid: number, key: string): string {
  const bytes = createHash("sha256").update(`${vmid}/${key}/${pve.state.nextPid}`).digest();
  return ["BC", "24", "11", ...[...bytes.subarray(0, 3)].map((b) => b.toString(16).toUpperCase().padStart(2, "0"))].join(":");
}

function networkDevice(pve: Pve, vmid: number, key: string, value: string, old: string | undefined): string {
  const [first = "", ...rest] = value.replace(/^model=/, "").split(",");
  const [model = "", mac] = first.split("=");
  const given = mac ?? rest.find((r) => r.startsWith("macaddr="))?.slice(8);
  const before = /=((?:[0-9A-F]{2}:){5}[0-9A-F]{2})/i.exec(old ?? "")?.[1];
  return [`${model}=${given ?? before ?? macOf(pve, vmid, key)}`, ...rest.filter((r) => !r.startsWith("macaddr="))].join(",");
}

/** Applies a request's options. @returns whether anything is different now */
export function applyConfig(pve: Pve, vm: Vm, parameters: Readonly<Record<string, string>>): boolean {
  const digest = parameters["digest"];
  if (digest !== undefined && digest !== digestOf(vm)) throw new PveError(500, "detected modified configuration - file changed by other user? Try again.");
  const before = JSON.stringify(vm.config);
  for (const key of (parameters["delete"] ?? "").split(/[,; ]+/).filter((k) => k !== "")) removeOption(pve, vm, key);
  for (const [key, value] of Object.entries(parameters)) {
    if (REQUEST_ONLY.has(key)) continue;
    vm.config[key] = DISK_KEY.test(key)
      ? changedDisk(pve, vm, key, value)
      : /^net\d+$/.test(key)
        ? networkDevice(pve, vm.vmid, key, value, vm.config[key])
        : value;
  }
  return JSON.stringify(vm.config) !== before;
}

/** A disk keeps its size if the request names its present volume. If the request names another, the old volume becomes an unused disk. */
function changedDisk(pve: Pve, vm: Vm, key: string, value: string): string {
  const old = volumeOf(pve, vm, key);
  const next = realizeDisk(pve, vm, key, value);
  if (old && !next.startsWith(old.volid) && !/cloudinit/.test(old.volid)) addUnused(vm, old.volid);
  return next;
}

function addUnused(vm: Vm, volid: string): void {
  let n = 0;
  while (vm.config[`unused${n}`] !== undefined) n += 1;
  vm.config[`unused${n}`] = volid;
}

function removeOption(pve: Pve, vm: Vm, key: string): void {
  if (!isOption(key)) throw parameterError({ delete: `invalid format - unknown option: ${key}` });
  const volume = DISK_KEY.test(key) || key.startsWith("unused") ? volumeOf(pve, vm, key) : undefined;
  delete vm.config[key];
  if (!volume) return;
  if (key.startsWith("unused") || /cloudinit/.test(volume.volid)) pve.state.volumes = pve.state.volumes.filter((v) => v !== volume);
  else addUnused(vm, volume.volid);
}

/** Defaults of every new VM. */
export function fillDefaults(pve: Pve, vm: Vm): void {
  const seed = createHash("sha256").update(`${vm.vmid}/${pve.ctx.clock.now()}`).digest("hex");
  const uuid = `${seed.slice(0, 8)}-${seed.slice(8, 12)}-4${seed.slice(13, 16)}-a${seed.slice(17, 20)}-${seed.slice(20, 32)}`;
  vm.config["smbios1"] ??= `uuid=${uuid}`;
  vm.config["vmgenid"] ??= uuid.replace(/^./, (c) => (c === "a" ? "b" : "a"));
  vm.config["meta"] ??= `creation-qemu=9.2.0,ctime=${Math.floor(pve.ctx.clock.now() / 1000)}`;
  const disks = diskKeys(vm)
    .filter((key) => !/media=cdrom/.test(vm.config[key] ?? ""))
    .sort();
  const nets = Object.keys(vm.config)
    .filter((key) => /^net\d+$/.test(key))
    .sort();
  vm.config["boot"] ??= `order=${[...disks.slice(0, 1), ...nets.slice(0, 1)].join(";")}`;
}

/** The configuration as `GET …/config` shows it. */
export function showConfig(vm: Vm): Record<string, unknown> {
  const shown: Record<string, unknown> = { digest: digestOf(vm) };
  for (const [key, value] of Object.entries(vm.config)) {
    if (key === "cipassword") shown[key] = "**********";
    else shown[key] = INTEGERS.has(key) ? Number(value) : value;
  }
  return shown;
}

/** Disks whose volume is a device of the node. */
function passedThrough(vm: Vm): PassedThroughDisk[] {
  const found = Object.entries(vm.config).flatMap(([slot, text]) => {
    if (!/^scsi\d+$/.test(slot)) return [];
    const { file, options } = parseDisk(text);
    return file.startsWith("/dev/") ? [{ slot, device: file, sizeGiB: Math.ceil((parseSize(options.get("size") ?? "") ?? 0) / GIB) }] : [];
  });
  return found
    .toSorted((a, b) => a.slot.localeCompare(b.slot, "en", { numeric: true }))
    .map(({ slot, device, sizeGiB }, index) => ({ device, sizeGiB, name: `sd${"bcdefgh"[index] ?? "z"}`, id: `scsi-0QEMU_QEMU_HARDDISK_drive-${slot}` }));
}

/** What cloud-init inside the VM will see. */
export function guestSpec(vm: Vm, diskBytes: number): GuestSpec {
  const ip = Object.fromEntries((vm.config["ipconfig0"] ?? "").split(",").map((part) => part.split("=", 2) as [string, string]));
  const [address, prefix] = (ip["ip"] ?? "").split("/");
  const fixed = address !== undefined && /^\d+\.\d+\.\d+\.\d+$/.test(address);
  return {
    id: String(vm.vmid),
    hostname: vm.config["name"] ?? `VM${vm.vmid}`,
    address: fixed ? address : undefined,
    prefix: Number(prefix ?? 24),
    gateway: ip["gw"],
    nameserver: vm.config["nameserver"],
    user: vm.config["ciuser"] ?? "ubuntu",
    authorizedKeys: unescaped(vm.config["sshkeys"] ?? "")
      .split("\n")
      .map((l) => l.trim())
      .filter((l) => l !== ""),
    cores: Number(vm.config["cores"] ?? 1) * Number(vm.config["sockets"] ?? 1),
    memoryMiB: Number((vm.config["memory"] ?? "512").replace("current=", "")),
    passedThrough: passedThrough(vm),
    diskGiB: Number(formatSize(diskBytes).endsWith("G") ? formatSize(diskBytes).slice(0, -1) : Math.ceil(diskBytes / 1024 ** 3)),
  };
}
