/** The Proxmox nodes of this homelab. An existing bridge or storage is given by its name; docs/hosts.md has definitions of new ones. */
import type { StorageSpec } from "../components/hosts/node-spec";
import { defineNodes } from "../stacks/define/nodes";

/**
 * Where the nodes keep cloud images and ISOs: the name of an existing storage, or a definition of one to create. `local` needs the
 * content type `import` for that, which a fresh Proxmox does not give it. docs/hosts.md has a definition, and says with which plugin it works.
 */
const FILE_STORAGE: string | StorageSpec = "local";

export const proxmox = defineNodes({
  // Pinned to one dated build: the same URL always gives the same bytes.
  image: {
    templateName: "ubuntu24-template",
    url: "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img",
    sha256: "fad101d50b06b26590cf30542349f9e9d3041ad7929e3bc3531c81ec27f2c788",
    /** A `.qcow2` of the content type `import`: Proxmox 8.3 makes a disk of it by its API alone, without SSH to the node. */
    fileName: "ubuntu-24.04-20241004-amd64.qcow2",
  },
  nodes: [
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
  ],
});
