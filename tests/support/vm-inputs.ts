/** Inputs of a template and of a clone of it, for tests of VMs. */
import type { Values } from "../../providers/sdk/values";

export const VM = "proxmoxve:index/vmLegacy:VmLegacy";

export const template: Values = {
  nodeName: "node01",
  vmId: 9000,
  name: "ubuntu",
  template: true,
  started: false,
  onBoot: false,
  cdrom: { fileId: "none" },
  cpu: { cores: 1, type: "host" },
  memory: { dedicated: 1024 },
  scsiHardware: "virtio-scsi-single",
  disks: [{ interface: "scsi0", datastoreId: "local-lvm", importFrom: "local:import/noble.qcow2", size: 8, fileFormat: "raw" }],
  networkDevices: [{ bridge: "vmbr0" }],
  agent: { enabled: true },
  operatingSystem: { type: "l26" },
};

export const clone: Values = {
  nodeName: "node01",
  vmId: 120,
  name: "dev",
  tags: ["homelab", "dev"],
  clone: { vmId: 9000 },
  cdrom: { fileId: "none" },
  cpu: { cores: 4, type: "host" },
  memory: { dedicated: 8192 },
  scsiHardware: "virtio-scsi-single",
  disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 40 }],
  initialization: {
    datastoreId: "local-lvm",
    ipConfigs: [{ ipv4: { address: "192.168.1.15/24", gateway: "192.168.1.1" } }],
    userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAA+B a@b"] },
    dns: { servers: ["192.168.1.2", "1.1.1.1"] },
  },
  networkDevices: [{ bridge: "vmbr0", firewall: false }],
  bootOrders: ["scsi0"],
  agent: { enabled: true },
  operatingSystem: { type: "l26" },
};
