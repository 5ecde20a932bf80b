import { createHash } from "node:crypto";
import { z } from "zod";
import type { LabNode, LabSite } from "../../common/lab-site";
import type { LabContext } from "../core/world";
import { PveError } from "./errors";

/** The system that was on a downloaded image; a disk made from it boots. */
const imageSchema = z.object({ url: z.string(), sha256: z.string() });

const volumeSchema = z.object({
  node: z.string(),
  storage: z.string(),
  /** `storage:path`, as the API names it. */
  volid: z.string(),
  content: z.enum(["images", "import", "iso", "vztmpl", "snippets", "backup"]),
  format: z.string(),
  /** Bytes. */
  size: z.number(),
  vmid: z.number().optional(),
  image: imageSchema.optional(),
  ctime: z.number(),
});
export type Volume = z.infer<typeof volumeSchema>;

const vmSchema = z.object({
  vmid: z.number(),
  node: z.string(),
  status: z.enum(["running", "stopped"]),
  /** Keys and values as in the VM's configuration file. */
  config: z.record(z.string(), z.string()),
  /** Milliseconds since the epoch. */
  startedAt: z.number().optional(),
});
export type Vm = z.infer<typeof vmSchema>;

const taskSchema = z.object({
  upid: z.string(),
  node: z.string(),
  type: z.string(),
  id: z.string(),
  user: z.string(),
  pid: z.number(),
  starttime: z.number(),
  endtime: z.number().optional(),
  /** Absent while it runs; "OK" or the reason of the failure. */
  exitstatus: z.string().optional(),
  log: z.array(z.string()),
});
export type Task = z.infer<typeof taskSchema>;

const poolSchema = z.object({ poolid: z.string(), comment: z.string().optional(), members: z.array(z.number()) });

const storageSchema = z.object({ storage: z.string(), type: z.string(), options: z.record(z.string(), z.string()) });
/** An entry of /etc/pve/storage.cfg. */
export type Storage = z.infer<typeof storageSchema>;

/** Volumes whose storage entry was removed: they stay in their place, and another entry for that place finds them again. */
const leftSchema = z.object({ place: z.string(), volumes: z.array(volumeSchema) });

const interfaceSchema = z.object({ iface: z.string(), type: z.enum(["bridge", "eth"]), options: z.record(z.string(), z.string()) });
/** An interface of /etc/network/interfaces; options by the API's names. */
export type Interface = z.infer<typeof interfaceSchema>;

const networkSchema = z.object({ applied: z.array(interfaceSchema), pending: z.array(interfaceSchema).optional() });
/** A node's network configuration, with the changes that are written and not yet applied. */
export type NodeNetwork = z.infer<typeof networkSchema>;

function networkOf({ ports, bridges }: LabNode): NodeNetwork {
  const nics = ports.map((iface): Interface => ({ iface, type: "eth", options: {} }));
  const made = bridges.map(({ name, ports: members, cidr, gateway }): Interface => {
    const address = { ...(cidr === undefined ? {} : { cidr }), ...(gateway === undefined ? {} : { gateway }) };
    return { iface: name, type: "bridge", options: { autostart: "1", ...address, bridge_ports: members.join(" ") } };
  });
  return { applied: [...nics, ...made] };
}

const stateSchema = z.object({
  vms: z.array(vmSchema),
  volumes: z.array(volumeSchema),
  tasks: z.array(taskSchema),
  pools: z.array(poolSchema),
  nextPid: z.number(),
  storages: z.array(storageSchema),
  left: z.array(leftSchema),
  networks: z.record(z.string(), networkSchema),
});
export type ProxmoxState = z.infer<typeof stateSchema>;

/** The facts of the site that Proxmox is made of. */
export type ProxmoxSite = Pick<LabSite, "domain" | "proxmox" | "nodes" | "storages">;

/** The site's hardware in its first state, with no VM. */
export const emptyState = ({ nodes, storages }: ProxmoxSite): ProxmoxState => ({
  ...{ vms: [], volumes: [], tasks: [], pools: [], nextPid: 4242, left: [] },
  storages: storages.map((entry) => ({ ...entry, options: { ...entry.options } })),
  networks: Object.fromEntries(nodes.map((node) => [node.name, networkOf(node)])),
});

/**
 * A saved state on hardware that may have grown.
 * @param before the site's facts when it was saved: hardware that is new since then is in its first state
 */
export function restoredState(saved: unknown, site: ProxmoxSite, before: ProxmoxSite): ProxmoxState {
  const state = stateSchema.parse(saved);
  const { storages, networks } = emptyState(site);
  const isNew = ({ storage }: Storage): boolean => ![...before.storages, ...state.storages].some((known) => known.storage === storage);
  return { ...state, storages: [...state.storages, ...storages.filter(isNew)], networks: { ...networks, ...state.networks } };
}

/** A VM as its operating system sees it when it boots: name, address and disks. */
export interface GuestSpec {
  /** The VM's number. */
  id: string;
  hostname: string;
  /** From ipconfig0; undefined without a fixed address (the lab has no DHCP server). */
  address: string | undefined;
  prefix: number;
  gateway: string | undefined;
  nameserver: string | undefined;
  user: string;
  authorizedKeys: string[];
  cores: number;
  memoryMiB: number;
  diskGiB: number;
  /** Disks of the node that are passed through. */
  passedThrough: readonly PassedThroughDisk[];
}

export interface PassedThroughDisk {
  /** Path on the node: one physical disk, whatever VM sees it. */
  device: string;
  /** `sdb`: its name in the VM. */
  name: string;
  /** Its name in the VM below /dev/disk/by-id, which QEMU makes of the slot. */
  id: string;
  sizeGiB: number;
}

/** The machines inside the VMs. */
export interface Guests {
  /** Boots in the background. Why a machine does not come up is in the records. */
  powerOn(spec: GuestSpec): void;
  powerOff(id: string): Promise<void>;
  /** Removes the machine and its disks. */
  destroy(id: string): Promise<void>;
  /** Whether it has booted and answers the guest agent. */
  isUp(id: string): boolean;
}

/** What the API's handlers work on. */
export interface Pve {
  ctx: LabContext;
  site: ProxmoxSite;
  guests: Guests;
  state: ProxmoxState;
}

export function nodeOf({ site }: Pve, name: string): LabNode {
  const node = site.nodes.find((n) => n.name === name);
  if (!node) throw new PveError(500, `hostname lookup '${name}' failed - failed to get address info for: ${name}: Name or service not known`);
  return node;
}

const listed = (text: string | undefined): string[] => (text ?? "").split(",").filter((part) => part !== "");

export const contentOf = (storage: Storage): string[] => listed(storage.options["content"]);

/** Whether a node has a storage; an entry without a list of nodes is for all of them. */
export const isOn = (storage: Storage, node: string): boolean => storage.options["nodes"] === undefined || listed(storage.options["nodes"]).includes(node);

/** The place that an entry names: `dir:/var/lib/vz`, `lvmthin:pve/data`. */
export function placeOf({ type, options }: Storage): string {
  const parts = ["path", "vgname", "thinpool", "pool"].flatMap((key) => options[key] ?? []);
  return `${type}:${parts.join("/")}`;
}

/** Size in GiB of the place that an entry names on a node; undefined if the node does not have it. */
export function roomOf(pve: Pve, storage: Storage, nodeName: string): number | undefined {
  const node = nodeOf(pve, nodeName);
  if (storage.type === "dir") return node.rootGiB;
  const place = placeOf(storage).replace(/^\w+:/, "");
  return node.thinPools.find((pool) => (storage.type === "lvm" ? pool.place.startsWith(`${place}/`) : pool.place === place))?.totalGiB;
}

export function findStorage(pve: Pve, name: string): Storage {
  const storage = pve.state.storages.find((s) => s.storage === name);
  if (!storage) throw new PveError(500, `storage '${name}' does not exist`);
  return storage;
}

/** A storage as a node may use it. */
export function storageOf(pve: Pve, nodeName: string, name: string): Storage {
  nodeOf(pve, nodeName);
  const storage = findStorage(pve, name);
  if (storage.options["disable"] === "1") throw new PveError(500, `storage '${name}' is disabled`);
  if (!isOn(storage, nodeName)) throw new PveError(500, `storage '${name}' is not available on node '${nodeName}'`);
  return storage;
}

export function findVm(pve: Pve, node: string, vmid: number): Vm {
  nodeOf(pve, node);
  const vm = pve.state.vms.find((v) => v.vmid === vmid && v.node === node);
  if (!vm) throw new PveError(500, `Configuration file 'nodes/${node}/qemu-server/${vmid}.conf' does not exist`);
  return vm;
}

export function findVolume(pve: Pve, node: string, volid: string): Volume {
  const volume = pve.state.volumes.find((v) => v.volid === volid && v.node === node);
  if (!volume) throw new PveError(500, `volume '${volid}' does not exist`);
  return volume;
}

export const isTemplate = (vm: Vm): boolean => vm.config["template"] === "1";

/** SHA-1 of the configuration, as Proxmox uses it against lost updates. */
export function digestOf(vm: Vm): string {
  return createHash("sha1")
    .update(JSON.stringify(Object.entries(vm.config).sort()))
    .digest("hex");
}

export const GIB = 1024 ** 3;

/** `30G`, `3584M`, `512K` or bytes as bytes. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT])?$/.exec(text);
  if (!match) return undefined;
  const factor = { K: 1024, M: 1024 ** 2, G: GIB, T: 1024 ** 4 }[match[2] ?? ""] ?? 1;
  return Math.round(Number(match[1]) * factor);
}

export function formatSize(bytes: number): string {
  if (bytes % GIB === 0) return `${bytes / GIB}G`;
  return bytes % 1024 ** 2 === 0 ? `${bytes / 1024 ** 2}M` : `${Math.ceil(bytes / 1024)}K`;
}
