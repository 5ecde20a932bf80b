/** The Proxmox nodes of one homelab, which VM definitions are checked against and templates are built from. */
import type { BridgeSpec, StorageSpec } from "../../components/hosts/node-spec";

/** A file at a URL that always gives the same bytes. */
export interface PinnedFile {
  url: string;
  sha256: string;
  fileName: string;
}

/** An existing bridge or storage is given by its name; one that is made, or with `adopt` imported, by its definition. */
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
  /** Further storages whose ISOs VMs may use. These ISOs were uploaded by hand. */
  isoStorages: readonly string[];
  /** ISOs that the node keeps, for VMs with an ISO drive. */
  isos: readonly PinnedFile[];
  /** Storage of the template's disk. */
  templateStorage: string;
  templateId: number;
}

/** Cloud image that every template is made of. */
export interface CloudImage extends PinnedFile {
  templateName: string;
}

export interface ProxmoxSite {
  nodes: readonly ProxmoxNode[];
  image: CloudImage;
}

export const defineNodes = (proxmox: ProxmoxSite): ProxmoxSite => proxmox;

export const nameOf = (thing: string | { name: string }): string => (typeof thing === "string" ? thing : thing.name);

/** The definitions among them: what is made or imported. */
export const definitions = <T extends { name: string }>(things: readonly (string | T)[]): T[] => things.filter((thing) => typeof thing !== "string");
