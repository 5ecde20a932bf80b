/** Turns Proxmox's configuration of a VM into the outputs of the resource. */
import type { Json, JsonObject } from "../../sdk/values";
import { parseOptions } from "../options";
import type { PveConfig } from "./config";
import { cloudInitInterface, datastoreOf, describeDisk, diskInterfaces } from "./disks";
import type { Disk, Vm } from "./inputs";

const MODELS = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"];

function networkDevice(live: string): JsonObject {
  const options = parseOptions(live, "model");
  const model = options.get("model") ?? MODELS.find((name) => options.has(name)) ?? "virtio";
  return {
    bridge: options.get("bridge") ?? "",
    disconnected: options.get("link_down") === "1",
    enabled: true,
    firewall: options.get("firewall") === "1",
    macAddress: options.get("macaddr") ?? options.get(model) ?? "",
    model,
    mtu: Number(options.get("mtu") ?? 0),
    queues: Number(options.get("queues") ?? 0),
    rateLimit: Number(options.get("rate") ?? 0),
    trunks: options.get("trunks") ?? "",
    vlanId: Number(options.get("tag") ?? 0),
  };
}

const keysOf = (config: PveConfig, prefix: string): string[] =>
  Object.keys(config)
    .filter((key) => new RegExp(`^${prefix}\\d+$`).test(key))
    .sort((a, b) => Number(a.slice(prefix.length)) - Number(b.slice(prefix.length)));

function initialization(config: PveConfig, known: NonNullable<Vm["initialization"]>): JsonObject {
  const drive = cloudInitInterface(config);
  const keys = decodeURIComponent(config["sshkeys"] ?? "")
    .split("\n")
    .filter((key) => key.trim() !== "");
  const ipConfigs = keysOf(config, "ipconfig").map((key): Json => {
    const options = parseOptions(config[key] ?? "", "ip");
    const family = (address: string, gateway: string): JsonObject => ({ address: options.get(address) ?? "", gateway: options.get(gateway) ?? "" });
    return { ...(options.has("ip") ? { ipv4: family("ip", "gw") } : {}), ...(options.has("ip6") ? { ipv6: family("ip6", "gw6") } : {}) };
  });
  const servers = (config["nameserver"] ?? "").split(/\s+/).filter((server) => server !== "");
  const dns = servers.length > 0 || config["searchdomain"] !== undefined ? { dns: { domain: config["searchdomain"] ?? "", servers } } : {};
  const password = known.userAccount?.password ?? "";
  const account = config["ciuser"] !== undefined || keys.length > 0 ? { userAccount: { keys, username: config["ciuser"] ?? "", password } } : {};
  return {
    datastoreId: drive === undefined ? known.datastoreId : datastoreOf(config[drive] ?? ""),
    interface: drive ?? known.interface,
    ...NEVER_SET_OF.initialization,
    ...(known.fileFormat === "" ? {} : { fileFormat: known.fileFormat }),
    ...snippets(config),
    upgrade: config["ciupgrade"] !== "0",
    type: config["citype"] ?? "",
    ipConfigs,
    ...dns,
    ...account,
  };
}

/** Files of the node that stand for parts of the cloud-init data. */
function snippets(config: PveConfig): JsonObject {
  const options = parseOptions(config["cicustom"] ?? "", "user");
  const ids = { metaDataFileId: "meta", networkDataFileId: "network", userDataFileId: "user", vendorDataFileId: "vendor" };
  return Object.fromEntries(Object.entries(ids).map(([property, name]) => [property, options.get(name) ?? ""]));
}

/** The content of the drive that the program gave; `interface` is empty where the VM no longer has the drive. */
function cdrom(config: PveConfig, known: NonNullable<Vm["cdrom"]>): JsonObject {
  const live = config[known.interface];
  if (live === undefined) return { ...NEVER_SET_OF.cdrom, fileId: known.fileId, interface: "" };
  const file = parseOptions(live, "file").get("file") ?? "";
  return { ...NEVER_SET_OF.cdrom, interface: known.interface, fileId: file === "cdrom" && known.fileId === "" ? "" : file };
}

function startup(config: PveConfig): JsonObject {
  const options = parseOptions(config["startup"] ?? "", "order");
  const value = (name: string): number => Number(options.get(name) ?? -1);
  return { order: value("order"), upDelay: value("up"), downDelay: value("down") };
}

function vga(config: PveConfig): JsonObject {
  const options = parseOptions(config["vga"] ?? "std", "type");
  return { type: options.get("type") ?? "std", memory: Number(options.get("memory") ?? 16), clipboard: options.get("clipboard") ?? "" };
}

function watchdog(config: PveConfig, known: NonNullable<Vm["watchdog"]>): JsonObject {
  if (config["watchdog"] === undefined) return { ...known, enabled: false };
  const options = parseOptions(config["watchdog"], "model");
  return { enabled: true, model: options.get("model") ?? "i6300esb", action: options.get("action") ?? "none" };
}

function cpu(config: PveConfig): JsonObject {
  const options = parseOptions(config["cpu"] ?? "qemu64", "cputype");
  return {
    ...NEVER_SET_OF.cpu,
    affinity: config["affinity"] ?? "",
    cores: Number(config["cores"] ?? 1),
    flags: options.get("flags")?.split(";") ?? [],
    hotplugged: Number(config["vcpus"] ?? 0),
    limit: Number(config["cpulimit"] ?? 0),
    numa: config["numa"] === "1",
    sockets: Number(config["sockets"] ?? 1),
    type: options.get("cputype") ?? "qemu64",
    units: Number(config["cpuunits"] ?? 1024),
  };
}

function agent(config: PveConfig, known: Vm["agent"]): JsonObject {
  const options = parseOptions(config["agent"] ?? "0", "enabled");
  return {
    enabled: options.get("enabled") === "1",
    timeout: known.timeout,
    trim: options.get("fstrim_cloned_disks") === "1",
    type: options.get("type") ?? "virtio",
    ...(known.waitForIp === undefined ? {} : { waitForIp: { ...known.waitForIp } }),
  };
}

/** The known ones first, in their order; others only where the VM is no clone, as in the official provider. */
function disks(config: PveConfig, vm: Vm): Disk[] {
  const present = diskInterfaces(config);
  const known = vm.disks.filter((disk) => present.includes(disk.interface));
  const others = vm.clone === undefined ? present.filter((name) => !known.some((disk) => disk.interface === name)).sort() : [];
  return [
    ...known.map((disk) => describeDisk(disk.interface, config[disk.interface] ?? "", disk)),
    ...others.map((name) => describeDisk(name, config[name] ?? "", undefined)),
  ];
}

/**
 * Properties that are not supported here or have no effect, with the values that the official provider has in its states. It compares
 * states with inputs, and would find a change in each property that is missing.
 */
const NEVER_SET = { migrate: false };
const NEVER_SET_OF = {
  cdrom: { enabled: false },
  clone: { datastoreId: "", nodeName: "" },
  cpu: { architecture: "" },
  disk: { fileId: "" },
  initialization: { fileFormat: "" },
  memory: { hugepages: "", keepHugepages: false, shared: 0 },
};

/**
 * @param vm what is known of it so far: a property that was never asked for is not reported
 * @param running undefined for a template
 */
export function describeVm(config: PveConfig, vm: Vm, running: boolean | undefined): JsonObject {
  const devices = keysOf(config, "net").map((key) => networkDevice(config[key] ?? ""));
  const serials = keysOf(config, "serial").map((key): Json => ({ device: config[key] ?? "socket" }));
  const order = parseOptions(config["boot"] ?? "", "order").get("order");
  return {
    ...NEVER_SET,
    reboot: vm.reboot,
    timeoutMoveDisk: vm.timeoutMoveDisk,
    ...(vm.cdrom === undefined ? {} : { cdrom: cdrom(config, vm.cdrom) }),
    ...(vm.clone === undefined ? {} : { clone: { ...NEVER_SET_OF.clone, ...vm.clone } }),
    name: config["name"] ?? "",
    // A clone has the description of its template, which the program did not give.
    ...(vm.clone !== undefined && vm.description === "" ? {} : { description: (config["description"] ?? "").trimEnd() }),
    tags: (config["tags"] ?? "").split(/[;, ]/).filter((tag) => tag !== ""),
    acpi: config["acpi"] !== "0",
    agent: agent(config, vm.agent),
    bios: config["bios"] ?? "seabios",
    bootOrders: order === undefined ? [] : order.split(";").filter((name) => name !== ""),
    cpu: cpu(config),
    disks: disks(config, vm).map(({ speed, ...disk }): Json => ({ ...NEVER_SET_OF.disk, ...disk, ...(speed === undefined ? {} : { speed }) })),
    hotplug: config["hotplug"] ?? "network,disk,usb",
    keyboardLayout: config["keyboard"] ?? "en-us",
    kvmArguments: config["args"] ?? "",
    machine: config["machine"] ?? "",
    macAddresses: devices.map((device) => device["macAddress"] ?? ""),
    memory: { ...NEVER_SET_OF.memory, dedicated: Number(config["memory"] ?? 512), floating: Number(config["balloon"] ?? 0) },
    networkDevices: devices,
    onBoot: config["onboot"] === "1",
    operatingSystem: { type: config["ostype"] ?? "other" },
    protection: config["protection"] === "1",
    scsiHardware: config["scsihw"] ?? "lsi",
    serialDevices: serials,
    ...(vm.startup === undefined ? {} : { startup: startup(config) }),
    ...(vm.vga === undefined ? {} : { vga: vga(config) }),
    ...(vm.watchdog === undefined ? {} : { watchdog: watchdog(config, vm.watchdog) }),
    tabletDevice: config["tablet"] !== "0",
    template: config["template"] === "1",
    ...(running === undefined ? {} : { started: running }),
    ...(vm.initialization === undefined ? {} : { initialization: initialization(config, vm.initialization) }),
  };
}
