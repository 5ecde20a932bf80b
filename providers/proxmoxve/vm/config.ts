/** A VM's inputs as the keys of Proxmox's VM configuration, disks apart. */
import { formatOptions, parseOptions } from "../options";
import type { Initialization, NetworkDevice, Vm } from "./inputs";

export type PveConfig = Readonly<Record<string, string>>;

const bit = (value: boolean): string => (value ? "1" : "0");
const some = (value: string): string | undefined => (value === "" ? undefined : value);
const positive = (value: number): string | undefined => (value > 0 ? String(value) : undefined);

function networkDevice(device: NetworkDevice): string {
  return formatOptions([
    ["model", device.model],
    ["bridge", some(device.bridge)],
    ["firewall", device.firewall],
    ["link_down", device.disconnected ? true : undefined],
    ["macaddr", some(device.macAddress)],
    ["queues", positive(device.queues)],
    ["rate", positive(device.rateLimit)],
    ["tag", positive(device.vlanId)],
    ["mtu", positive(device.mtu)],
    ["trunks", some(device.trunks)],
  ]);
}

/** SSH keys in the form that Proxmox wants: URL-encoded once more, a blank as %20. */
const encodeKeys = (keys: readonly string[]): string =>
  encodeURIComponent(keys.map((key) => key.trim()).join("\n")).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function cloudInit(init: Initialization): Record<string, string | undefined> {
  const config: Record<string, string | undefined> = {
    ciuser: some(init.userAccount?.username ?? ""),
    cipassword: some(init.userAccount?.password ?? ""),
    sshkeys: init.userAccount !== undefined && init.userAccount.keys.length > 0 ? encodeKeys(init.userAccount.keys) : undefined,
    searchdomain: some(init.dns?.domain ?? ""),
    nameserver: some((init.dns?.servers ?? []).join(" ")),
    citype: some(init.type),
    ciupgrade: init.upgrade === undefined ? undefined : bit(init.upgrade),
    cicustom: some(
      formatOptions([
        ["meta", some(init.metaDataFileId)],
        ["network", some(init.networkDataFileId)],
        ["user", some(init.userDataFileId)],
        ["vendor", some(init.vendorDataFileId)],
      ]),
    ),
  };
  init.ipConfigs.forEach(({ ipv4, ipv6 }, i) => {
    config[`ipconfig${i}`] = some(
      formatOptions([
        ["gw", some(ipv4?.gateway ?? "")],
        ["gw6", some(ipv6?.gateway ?? "")],
        ["ip", some(ipv4?.address ?? "")],
        ["ip6", some(ipv6?.address ?? "")],
      ]),
    );
  });
  return config;
}

function cpu({ cpu: { flags, type, ...rest } }: Vm): Record<string, string | undefined> {
  return {
    cores: String(rest.cores),
    sockets: String(rest.sockets),
    cpu: flags.length > 0 ? `cputype=${type},flags=${flags.join(";")}` : type,
    numa: bit(rest.numa),
    affinity: some(rest.affinity),
    vcpus: positive(rest.hotplugged),
    cpulimit: positive(rest.limit),
    cpuunits: positive(rest.units),
  };
}

function startup(vm: Vm): string | undefined {
  if (vm.startup === undefined) return undefined;
  const { order, upDelay, downDelay } = vm.startup;
  const given = (value: number): number | undefined => (value >= 0 ? value : undefined);
  return some(
    formatOptions([
      ["order", given(order)],
      ["up", given(upDelay)],
      ["down", given(downDelay)],
    ]),
  );
}

function vga({ vga: display }: Vm): string | undefined {
  if (display === undefined) return undefined;
  return formatOptions([
    ["type", display.type],
    ["memory", positive(display.memory)],
    ["clipboard", some(display.clipboard)],
  ]);
}

function watchdog({ watchdog: device }: Vm): string | undefined {
  if (device?.enabled !== true) return undefined;
  return formatOptions([
    ["model", device.model],
    ["action", device.action],
  ]);
}

/** Every key that the inputs determine; undefined: the key is not to be there. */
export function configOf(vm: Vm): Record<string, string | undefined> {
  const config: Record<string, string | undefined> = {
    acpi: bit(vm.acpi),
    agent: formatOptions([
      ["enabled", vm.agent.enabled],
      ["fstrim_cloned_disks", vm.agent.trim],
      ["type", vm.agent.type],
    ]),
    args: some(vm.kvmArguments),
    bios: vm.bios,
    boot: vm.bootOrders.length > 0 ? `order=${vm.bootOrders.join(";")}` : undefined,
    ...cpu(vm),
    description: some(vm.description),
    hotplug: some(vm.hotplug),
    keyboard: vm.keyboardLayout,
    machine: some(vm.machine),
    memory: String(vm.memory.dedicated),
    balloon: String(vm.memory.floating),
    name: some(vm.name),
    onboot: bit(vm.onBoot),
    ostype: vm.operatingSystem.type,
    protection: bit(vm.protection),
    scsihw: vm.scsiHardware,
    startup: startup(vm),
    tablet: bit(vm.tabletDevice),
    tags: vm.tags.length > 0 ? [...vm.tags].sort().join(";") : undefined,
    vga: vga(vm),
    watchdog: watchdog(vm),
    ...(vm.initialization === undefined ? {} : cloudInit(vm.initialization)),
  };
  vm.serialDevices.forEach(({ device }, i) => {
    config[`serial${i}`] = device;
  });
  vm.networkDevices?.forEach((device, i) => {
    config[`net${i}`] = device.enabled ? networkDevice(device) : undefined;
  });
  if (vm.cdrom !== undefined)
    config[vm.cdrom.interface] = formatOptions([
      ["file", vm.cdrom.fileId === "" ? "cdrom" : vm.cdrom.fileId],
      ["media", "cdrom"],
    ]);
  return config;
}

/** Proxmox's defaults for missing keys. */
const KEY_DEFAULTS: Record<string, string> = {
  acpi: "1",
  agent: "enabled=0",
  bios: "seabios",
  cores: "1",
  cpu: "kvm64",
  keyboard: "en-us",
  memory: "512",
  numa: "0",
  onboot: "0",
  ostype: "other",
  protection: "0",
  scsihw: "lsi",
  sockets: "1",
  tablet: "1",
};

const FIRST_NAME: Record<string, string> = { agent: "enabled", cpu: "cputype", vga: "type", watchdog: "model" };
/** Parts of a property string that are as good as absent. */
const IDLE_PARTS = new Set(["firewall=0", "fstrim_cloned_disks=0", "type=virtio", "link_down=0", "enabled=0", "action=none"]);

function sameParts(key: string, live: string, wanted: string): boolean {
  const kind = key.replace(/\d+$/, "");
  const first = FIRST_NAME[kind] ?? (/^(ide|sata|scsi|virtio)$/.test(kind) ? "file" : "value");
  const [a, b] = [new Map(parseOptions(live, first)), new Map(parseOptions(wanted, first))];
  if (kind === "net") {
    for (const model of ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"]) {
      const mac = a.get(model);
      if (mac === undefined) continue;
      a.delete(model);
      a.set("model", model).set("macaddr", mac);
    }
    // Proxmox generates a MAC address where none is given.
    if (!b.has("macaddr")) a.delete("macaddr");
  }
  const parts = (options: Map<string, string>): string =>
    [...options]
      .map(([name, value]) => `${name}=${value.toLowerCase()}`)
      .filter((part) => !IDLE_PARTS.has(part))
      .sort()
      .join(",");
  return parts(a) === parts(b);
}

/** Whether the value that Proxmox has for a key means what is wanted. */
export function sameSetting(key: string, live: string | undefined, wanted: string | undefined): boolean {
  const current = live ?? KEY_DEFAULTS[key];
  if (current === undefined || wanted === undefined) return current === wanted || (wanted === undefined && live === undefined);
  if (current === wanted) return true;
  if (key === "tags") return [...new Set(current.split(/[;, ]/))].sort().join() === [...new Set(wanted.split(";"))].sort().join();
  if (key === "description") return current.trimEnd() === wanted.trimEnd();
  if (key === "sshkeys") return decodeURIComponent(current).trim() === decodeURIComponent(wanted).trim();
  // Proxmox shows asterisks; a changed password is seen in the inputs.
  if (key === "cipassword") return /^\*+$/.test(current);
  return /^(net\d+|ipconfig\d+|agent|cpu|vga|watchdog|startup|cicustom|(ide|sata)\d+)$/.test(key) && sameParts(key, current, wanted);
}

/** Changes of these keys do not wait for a restart of the machine. */
const LIVE_KEYS = /^(name|description|tags|onboot|protection|startup|hotplug|net\d+)$/;
export const needsRestart = (keys: readonly string[]): boolean => keys.some((key) => !LIVE_KEYS.test(key));
