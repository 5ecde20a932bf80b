/**
 * The three Proxmox nodes: facts that VM definitions are checked against and templates are built from. A bridge or a storage that
 * is there already is its name; one that the stack `tools` makes, or with `adopt` takes over, is its definition.
 */
import { HomelabError } from "../common/errors";
import type { BridgeSpec, StorageSpec } from "../components/hosts/node-spec";

/** A file at a URL that always gives the same bytes. */
interface PinnedFile {
  url: string;
  sha256: string;
  fileName: string;
}

export interface ProxmoxNode {
  name: string;
  hardware: string;
  memoryMiB: number;
  /** Kept for the hypervisor itself. */
  reservedMiB: number;
  threads: number;
  bridges: readonly (string | BridgeSpec)[];
  /** Storages that may hold VM disks (content type `images`). */
  storages: readonly (string | StorageSpec)[];
  /** Storage for cloud images (content type `import`) and downloaded ISOs (`iso`). */
  fileStorage: string | StorageSpec;
  /** Storages beside it whose ISOs VMs may use: those that somebody put there. */
  isoStorages: readonly string[];
  /** ISOs that the node keeps, for VMs with an ISO drive. */
  isos: readonly PinnedFile[];
  /** Where the template's disk lies. */
  templateStorage: string;
  templateId: number;
}

/**
 * Where the nodes keep cloud images and ISOs. `local` needs the content type `import` for it, which a fresh Proxmox does not give
 * it; or write a definition, and it is made: docs/hosts.md has one, and says with which plugin that works.
 */
const FILE_STORAGE: string | StorageSpec = "local";

export const NODES: readonly ProxmoxNode[] = [
  {
    name: "node01",
    hardware: "Acer Nitro VN7-591G laptop, i7-4710HQ",
    memoryMiB: 16384,
    reservedMiB: 2048,
    threads: 8,
    bridges: ["vmbr0"],
    storages: ["local-lvm", "slowdata"],
    fileStorage: FILE_STORAGE,
    isoStorages: ["local"],
    isos: [],
    templateStorage: "local-lvm",
    templateId: 9001,
  },
  {
    name: "node02",
    hardware: "HP ED800 G3 mini, i7-7700T",
    memoryMiB: 32768,
    reservedMiB: 2048,
    threads: 8,
    bridges: ["vmbr0"],
    storages: ["local-lvm"],
    fileStorage: FILE_STORAGE,
    isoStorages: ["local"],
    isos: [],
    templateStorage: "local-lvm",
    templateId: 9002,
  },
  {
    name: "node03",
    hardware: "X99, two Xeon E5-2699 v3",
    memoryMiB: 131072,
    reservedMiB: 4096,
    threads: 72,
    bridges: ["vmbr0"],
    storages: ["local-lvm", "data2"],
    fileStorage: FILE_STORAGE,
    isoStorages: ["local"],
    isos: [],
    templateStorage: "local-lvm",
    templateId: 9003,
  },
];

export const nameOf = (thing: string | { name: string }): string => (typeof thing === "string" ? thing : thing.name);

/** Those that are made or taken over. */
export const defined = <T extends { name: string }>(things: readonly (string | T)[]): T[] => things.filter((thing) => typeof thing !== "string");

/**
 * The storages to make, each with the nodes that name it.
 * @throws HomelabError E_STORAGE_TWICE for two of one name
 */
export function madeStorages(nodes: readonly ProxmoxNode[]): { spec: StorageSpec; nodes: string[] }[] {
  const made = new Map<string, { spec: StorageSpec; nodes: string[] }>();
  for (const node of nodes) {
    for (const spec of new Set(defined([...node.storages, node.fileStorage]))) {
      const known = made.get(spec.name);
      if (known !== undefined && JSON.stringify(known.spec) !== JSON.stringify(spec))
        throw new HomelabError("E_STORAGE_TWICE", `stacks/hosts.ts: ${node.name} defines the storage "${spec.name}" otherwise than ${known.nodes.join(", ")}`, {
          subject: spec.name,
          hint: "a storage is the whole cluster's: use one constant, or two names",
        });
      if (known === undefined) made.set(spec.name, { spec, nodes: [node.name] });
      else if (!known.nodes.includes(node.name)) known.nodes.push(node.name);
    }
  }
  return [...made.values()];
}

/** Cloud image that every template is made of. Pinned to one dated build: the same URL always gives the same bytes. */
export const CLOUD_IMAGE = {
  templateName: "ubuntu24-template",
  url: "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img",
  sha256: "fad101d50b06b26590cf30542349f9e9d3041ad7929e3bc3531c81ec27f2c788",
  /** As a `.qcow2` of content type `import`, which Proxmox 8.3 turns into a disk by its API alone, without SSH to the node. */
  fileName: "ubuntu-24.04-20241004-amd64.qcow2",
} as const;
