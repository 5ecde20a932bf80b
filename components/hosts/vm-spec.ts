/** What a VM is, with every default filled in: the result of reading one file of site/vms/. */

export interface VmDisk {
  /** Where it is attached: `scsi0`. */
  interface: string;
  storage: string;
  sizeGiB: number;
  /** raw, qcow2 or undefined for the storage's own. */
  format: string | undefined;
}

/** A disk of the host that is passed through to the VM. */
export interface VmPassthrough {
  interface: string;
  /** Stable name of the device on the host, below /dev/disk/by-id. */
  device: string;
  /** Options that differ from Proxmox's defaults. */
  backup: boolean | undefined;
  replicate: boolean | undefined;
  discard: boolean | undefined;
  emulateSsd: boolean | undefined;
  ioThread: boolean | undefined;
  sizeGiB: number | undefined;
  /** Limits as Proxmox names them: operations or megabytes each second. */
  speed: VmDiskSpeed | undefined;
}

interface VmDiskSpeed {
  iopsRead?: number;
  iopsReadBurstable?: number;
  iopsWrite?: number;
  iopsWriteBurstable?: number;
  read?: number;
  readBurstable?: number;
  write?: number;
  writeBurstable?: number;
}

export interface VmSpec {
  name: string;
  /** Proxmox node that it runs on. */
  node: string;
  vmId: number;
  cores: number;
  sockets: number;
  memoryMiB: number;
  cpuType: string;
  /** Starts with its host. */
  onBoot: boolean;
  /** false for a VM that is defined and stays off. */
  running: boolean;
  /** Its disks hold what exists nowhere else: it is protected from deletion and replacement. */
  holdsData: boolean;
  /** A linked clone shares the template's disk; a full one does not. */
  fullClone: boolean;
  /** QEMU arguments, as Proxmox passes them on. */
  args: string | undefined;
  bootOrder: readonly string[];
  agent: boolean;
  scsiHardware: string;
  /** Whether a change that needs it may restart the VM. */
  automaticReboot: boolean;
  serial: boolean;
  disks: readonly VmDisk[];
  passthrough: readonly VmPassthrough[];
  /** A drive with an ISO of the node, `local:iso/installer.iso`. */
  cdrom: { interface: string; file: string } | undefined;
  cloudInit: {
    storage: string;
    interface: string;
    /** undefined: the homelab's own user. */
    user: string | undefined;
    /** Public keys beside the operators'. */
    sshKeys: readonly string[];
    nameservers: readonly string[];
    ipv4: { address: string; prefix: number; gateway: string | undefined };
    /** `dhcp`, `auto` or an address with its prefix. */
    ipv6: { address: string; gateway: string | undefined } | undefined;
  };
  network: { bridge: string; model: string; firewall: boolean };
}
