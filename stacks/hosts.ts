/** The three Proxmox nodes: facts that VM definitions are checked against and templates are built from. */

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
  bridges: readonly string[];
  /** Storages that may hold VM disks. */
  storages: readonly string[];
  /** Storage for cloud images (content type `import`) and ISOs (`iso`). */
  fileStorage: string;
  /** ISOs that the node keeps, for VMs with an ISO drive. */
  isos: readonly PinnedFile[];
  /** Where the template's disk lies. */
  templateStorage: string;
  templateId: number;
}

export const NODES: readonly ProxmoxNode[] = [
  {
    name: "node01",
    hardware: "Acer Nitro VN7-591G laptop, i7-4710HQ",
    memoryMiB: 16384,
    reservedMiB: 2048,
    threads: 8,
    bridges: ["vmbr0"],
    storages: ["local-lvm", "slowdata"],
    fileStorage: "local",
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
    fileStorage: "local",
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
    fileStorage: "local",
    isos: [],
    templateStorage: "local-lvm",
    templateId: 9003,
  },
];

/** Cloud image that every template is made of. Pinned to one dated build: the same URL always gives the same bytes. */
export const CLOUD_IMAGE = {
  templateName: "ubuntu24-template",
  url: "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img",
  sha256: "fad101d50b06b26590cf30542349f9e9d3041ad7929e3bc3531c81ec27f2c788",
  /** As a `.qcow2` of content type `import`, which Proxmox 8.3 turns into a disk by its API alone, without SSH to the node. */
  fileName: "ubuntu-24.04-20241004-amd64.qcow2",
} as const;
