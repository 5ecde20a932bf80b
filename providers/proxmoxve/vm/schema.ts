/** Inputs of proxmoxve:index/vmLegacy:VmLegacy: names, defaults and what replaces, as in bpg's provider (package 8.6). */
import { block, bool, type Fields, list, num, type Property, str } from "../../sdk/schema";

const MINUTES = 60;

const speed = block({
  iopsRead: num(),
  iopsReadBurstable: num(),
  iopsWrite: num(),
  iopsWriteBurstable: num(),
  read: num(),
  readBurstable: num(),
  write: num(),
  writeBurstable: num(),
});

const refused = (what: string) => (value: unknown) =>
  value === undefined || value === "" || value === false ? undefined : `the embedded provider does not support ${what}; the official plugin does`;

const refusedMacs = "the embedded provider does not support it as an input: the guest reports them; give networkDevices[].macAddress";

const disk = block({
  interface: str({
    required: true,
    validate: (value) => (/^(ide|sata|scsi|virtio)\d+$/.test(String(value)) ? undefined : "must be ide, sata, scsi or virtio with a number"),
  }),
  datastoreId: str({ default: "local-lvm" }),
  pathInDatastore: str({ computed: true }),
  fileFormat: str({ computed: true }),
  aio: str({ default: "io_uring" }),
  backup: bool({ default: true }),
  cache: str({ default: "none" }),
  discard: str({ default: "ignore" }),
  // The official provider imports the file by commands over SSH on the node.
  fileId: str({ replace: true, validate: refused("fileId, which needs SSH to the node: use importFrom") }),
  // Only read when the disk is made.
  importFrom: str({ equal: () => true, computed: true }),
  iothread: bool(),
  queues: num(),
  replicate: bool({ default: true }),
  serial: str(),
  size: num({ default: 8, computed: true }),
  speed,
  ssd: bool(),
});

const networkDevice = block({
  bridge: str({ default: "vmbr0" }),
  disconnected: bool(),
  enabled: bool(),
  firewall: bool(),
  macAddress: str({ computed: true, equal: (a, b) => String(a).toLowerCase() === String(b).toLowerCase() }),
  model: str({ default: "virtio" }),
  mtu: num(),
  queues: num(),
  rateLimit: num(),
  trunks: str(),
  vlanId: num(),
});

const initialization = block({
  datastoreId: str({ default: "local-lvm" }),
  interface: str({ computed: true, equal: (_before, after) => after === "" }),
  fileFormat: str({ computed: true }),
  dns: block({ domain: str(), servers: list(str()) }),
  ipConfigs: list(block({ ipv4: block({ address: str(), gateway: str() }), ipv6: block({ address: str(), gateway: str() }) })),
  userAccount: block({ keys: list(str()), password: str(), username: str() }),
  userDataFileId: str({ computed: true, replace: true }),
  vendorDataFileId: str({ computed: true, replace: true }),
  networkDataFileId: str({ computed: true, replace: true }),
  metaDataFileId: str({ computed: true, replace: true }),
  type: str({ computed: true, replace: true }),
  upgrade: bool({ computed: true }),
});

const sameElements = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) && JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

/** The order of disks means nothing; their interface is their name. Asked of the lists, and again of each pair of elements. */
const sameDisks = (a: unknown, b: unknown): boolean => {
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  const byInterface = (disks: { interface?: string }[]) => [...disks].sort((x, y) => (String(x.interface) < String(y.interface) ? -1 : 1));
  return JSON.stringify(byInterface(a)) === JSON.stringify(byInterface(b));
};

const vmId: Property = num({
  computed: true,
  replace: true,
  validate: (id) => (Number(id) >= 100 && Number(id) <= 2_147_483_647 ? undefined : "must be between 100 and 2147483647"),
});

const hardware: Fields = {
  acpi: bool({ default: true }),
  agent: block(
    {
      enabled: bool(),
      timeout: str({ default: "15m" }),
      trim: bool(),
      type: str({ default: "virtio" }),
      waitForIp: block({ disabled: bool(), ipv4: bool(), ipv6: bool() }),
    },
    { default: { enabled: false, timeout: "15m", trim: false, type: "virtio" } },
  ),
  bios: str({ default: "seabios" }),
  bootOrders: list(str(), { computed: true }),
  cdrom: block({ fileId: str(), interface: str({ default: "ide3" }) }, { default: { fileId: "", interface: "ide3" } }),
  cpu: block(
    {
      affinity: str(),
      cores: num({ default: 1 }),
      flags: list(str()),
      hotplugged: num(),
      limit: num(),
      numa: bool(),
      sockets: num({ default: 1 }),
      type: str({ default: "qemu64" }),
      units: num({ computed: true }),
    },
    { default: { cores: 1, sockets: 1, type: "qemu64" } },
  ),
  disks: list(disk, { equal: sameDisks }),
  hotplug: str({ computed: true }),
  keyboardLayout: str({ default: "en-us" }),
  kvmArguments: str(),
  machine: str(),
  macAddresses: list(str(), { computed: true, validate: (value) => (Array.isArray(value) && value.length > 0 ? refusedMacs : undefined) }),
  memory: block({ dedicated: num({ default: 512 }), floating: num() }, { default: { dedicated: 512 } }),
  networkDevices: list(networkDevice, { computed: true }),
  operatingSystem: block({ type: str({ default: "other" }) }, { default: { type: "other" } }),
  scsiHardware: str({ default: "virtio-scsi-pci" }),
  serialDevices: list(block({ device: str({ default: "socket" }) }), { default: [{ device: "socket" }] }),
  tabletDevice: bool({ default: true }),
  vga: block({ clipboard: str(), memory: num({ default: 16 }), type: str({ default: "std" }) }, { computed: true }),
  watchdog: block(
    { action: str({ default: "none" }), enabled: bool(), model: str({ default: "i6300esb" }) },
    { default: { action: "none", enabled: false, model: "i6300esb" } },
  ),
};

export const vmFields: Fields = {
  ...hardware,
  nodeName: str({ required: true, replace: true }),
  vmId,
  name: str(),
  description: str({ equal: (a, b) => String(a).trimEnd() === String(b).trimEnd() }),
  tags: list(str(), { equal: sameElements }),
  clone: block({
    vmId: num({ required: true, replace: true }),
    datastoreId: str({ replace: true }),
    full: bool({ default: true, replace: true }),
    nodeName: str({ replace: true }),
    retries: num({ default: 1, replace: true }),
  }),
  initialization,
  poolId: str(),
  protection: bool(),
  onBoot: bool({ default: true }),
  started: bool({ default: true }),
  startup: block({ order: num({ default: -1 }), upDelay: num({ default: -1 }), downDelay: num({ default: -1 }) }),
  template: bool(),
  migrate: bool({ validate: refused("moving a VM to another node in place") }),
  reboot: bool(),
  rebootAfterUpdate: bool({ default: true }),
  stopOnDestroy: bool(),
  purgeOnDestroy: bool({ default: true }),
  deleteUnreferencedDisksOnDestroy: bool({ default: true }),
  timeoutClone: num({ default: 30 * MINUTES }),
  timeoutCreate: num({ default: 30 * MINUTES }),
  timeoutMigrate: num({ default: 30 * MINUTES }),
  timeoutMoveDisk: num(),
  timeoutReboot: num({ default: 30 * MINUTES }),
  timeoutShutdownVm: num({ default: 30 * MINUTES }),
  timeoutStartVm: num({ default: 30 * MINUTES }),
  timeoutStopVm: num({ default: 5 * MINUTES }),
};
