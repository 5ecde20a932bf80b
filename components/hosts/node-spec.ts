/** What a Proxmox node has beside its VMs: bridges and storages. Types only. */

interface Adoptable {
  /** It exists and is imported: the definition must state all its settings. It stays when it is removed from the program. */
  adopt?: boolean;
}

/** A Linux bridge of one node. */
export interface BridgeSpec extends Adoptable {
  /** A letter and up to nine letters, digits or _. */
  name: string;
  comment?: string;
  /** Interfaces of the node that belong to it; none: a network for VMs only. */
  ports?: readonly string[];
  /** The node's own address, with prefix. */
  address?: string;
  gateway?: string;
  address6?: string;
  gateway6?: string;
  mtu?: number;
  vlanAware?: boolean;
  /** `2-4094`, `1 20 100-200`; only with vlanAware. */
  vids?: string;
}

/** A storage of the cluster, on the nodes that name it. */
export type StorageSpec = Adoptable & {
  name: string;
  contents: readonly ("backup" | "images" | "import" | "iso" | "rootdir" | "snippets" | "vztmpl")[];
} & (
    | { type: "dir"; path: string }
    | { type: "lvm"; volumeGroup: string }
    | { type: "lvmthin"; volumeGroup: string; thinPool: string }
    | { type: "zfspool"; zfsPool: string; thinProvision?: boolean; blocksize?: string }
  );
