/** The inputs of a VM as types, defaults of suppressed (falsy) ones included. */
import { z } from "zod";
import { parseInputs } from "../../sdk/inputs";
import type { JsonObject } from "../../sdk/values";

const text = z.string().default("");
const flag = z.boolean().default(false);
const count = z.number().default(0);

const diskSchema = z.object({
  interface: z.string(),
  datastoreId: z.string().default("local-lvm"),
  pathInDatastore: text,
  fileFormat: text,
  aio: z.string().default("io_uring"),
  backup: z.boolean().default(true),
  cache: z.string().default("none"),
  discard: z.string().default("ignore"),
  importFrom: text,
  iothread: flag,
  queues: count,
  replicate: z.boolean().default(true),
  serial: text,
  size: z.number().default(8),
  ssd: flag,
  speed: z
    .object({
      iopsRead: count,
      iopsReadBurstable: count,
      iopsWrite: count,
      iopsWriteBurstable: count,
      read: count,
      readBurstable: count,
      write: count,
      writeBurstable: count,
    })
    .optional(),
});
export type Disk = z.infer<typeof diskSchema>;

const networkSchema = z.object({
  bridge: z.string().default("vmbr0"),
  disconnected: flag,
  enabled: z.boolean().default(true),
  firewall: flag,
  macAddress: text,
  model: z.string().default("virtio"),
  mtu: count,
  queues: count,
  rateLimit: count,
  trunks: text,
  vlanId: count,
});
export type NetworkDevice = z.infer<typeof networkSchema>;

const addressSchema = z.object({ address: text, gateway: text }).optional();
const initializationSchema = z.object({
  datastoreId: z.string().default("local-lvm"),
  interface: text,
  fileFormat: text,
  dns: z.object({ domain: text, servers: z.array(z.string()).default([]) }).optional(),
  ipConfigs: z.array(z.object({ ipv4: addressSchema, ipv6: addressSchema })).default([]),
  userAccount: z.object({ keys: z.array(z.string()).default([]), password: text, username: text }).optional(),
  userDataFileId: text,
  vendorDataFileId: text,
  networkDataFileId: text,
  metaDataFileId: text,
  type: text,
  upgrade: z.boolean().optional(),
});
export type Initialization = z.infer<typeof initializationSchema>;

const waitSchema = z.object({ disabled: flag, ipv4: flag, ipv6: flag }).optional();
const agentSchema = z.object({ enabled: flag, timeout: z.string().default("15m"), trim: flag, type: z.string().default("virtio"), waitForIp: waitSchema });
const cpuSchema = z.object({
  affinity: text,
  cores: z.number().default(1),
  flags: z.array(z.string()).default([]),
  hotplugged: count,
  limit: count,
  numa: flag,
  sockets: z.number().default(1),
  type: z.string().default("qemu64"),
  units: count,
});

const vmSchema = z.object({
  nodeName: z.string(),
  vmId: z.number().optional(),
  name: text,
  description: text,
  tags: z.array(z.string()).default([]),
  acpi: z.boolean().default(true),
  agent: agentSchema.prefault({}),
  bios: z.string().default("seabios"),
  bootOrders: z.array(z.string()).default([]),
  cdrom: z.object({ fileId: text, interface: z.string().default("ide3") }).optional(),
  clone: z.object({ vmId: z.number(), datastoreId: text, full: z.boolean().default(true), nodeName: text, retries: z.number().default(1) }).optional(),
  cpu: cpuSchema.prefault({}),
  disks: z.array(diskSchema).default([]),
  hotplug: text,
  initialization: initializationSchema.optional(),
  keyboardLayout: z.string().default("en-us"),
  kvmArguments: text,
  machine: text,
  memory: z.object({ dedicated: z.number().default(512), floating: count }).prefault({}),
  networkDevices: z.array(networkSchema).optional(),
  onBoot: z.boolean().default(true),
  operatingSystem: z.object({ type: z.string().default("other") }).prefault({}),
  poolId: text,
  protection: flag,
  reboot: flag,
  rebootAfterUpdate: z.boolean().default(true),
  scsiHardware: z.string().default("virtio-scsi-pci"),
  serialDevices: z.array(z.object({ device: z.string().default("socket") })).default([]),
  started: z.boolean().default(true),
  startup: z.object({ order: z.number().default(-1), upDelay: z.number().default(-1), downDelay: z.number().default(-1) }).optional(),
  stopOnDestroy: flag,
  purgeOnDestroy: z.boolean().default(true),
  deleteUnreferencedDisksOnDestroy: z.boolean().default(true),
  tabletDevice: z.boolean().default(true),
  template: flag,
  vga: z.object({ clipboard: text, memory: z.number().default(16), type: z.string().default("std") }).optional(),
  watchdog: z.object({ action: z.string().default("none"), enabled: flag, model: z.string().default("i6300esb") }).optional(),
  timeoutClone: z.number().default(1800),
  timeoutCreate: z.number().default(1800),
  timeoutMigrate: z.number().default(1800),
  timeoutMoveDisk: z.number().default(1800),
  timeoutReboot: z.number().default(1800),
  timeoutShutdownVm: z.number().default(1800),
  timeoutStartVm: z.number().default(1800),
  timeoutStopVm: z.number().default(300),
});
export type Vm = z.infer<typeof vmSchema>;

export const parseVm = (inputs: JsonObject): Vm => parseInputs(vmSchema, inputs);
