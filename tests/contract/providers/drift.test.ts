/** For every type, and every setting of a VM: a refresh sees what somebody changed in Proxmox, and the next update corrects it. */
import type { Values } from "../../../providers/sdk/values";
import { FILE, FILES, IMAGE, ProxmoxLab, VM } from "../../support/proxmox-lab";
import type { State } from "../../support/test-provider";

let lab: ProxmoxLab;
beforeEach(async () => {
  lab = await ProxmoxLab.start();
});
afterEach(async () => {
  await lab.stop();
  expect(lab.ctx.unhandled.all()).toEqual([]);
});

const QEMU = "/nodes/node03/qemu/115";

async function edit(method: "POST" | "PUT" | "DELETE", path: string, form: Record<string, string> = {}): Promise<void> {
  const answer = await lab.call(method, path, form);
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.reason} ${JSON.stringify(answer.errors)}`);
}

/** @param shows the properties that a preview shows after the edit */
async function seenAndMended(type: string, given: Values, behind: () => Promise<void>, shows: string[]): Promise<void> {
  const { plugin } = lab;
  const { inputs, failures } = await plugin.check(type, given);
  expect(failures).toEqual([]);
  const made = await plugin.create(type, inputs);
  const read = async (state: State): Promise<State> => {
    const found = await plugin.read(type, state);
    if (found === undefined) throw new Error(`${type} is gone`);
    return found;
  };
  const same = async (state: State) => expect((await plugin.diff(type, state, inputs)).detailed).toEqual({});
  const untouched = await read(made);
  await same(untouched);
  await behind();
  const drifted = await read(untouched);
  const diff = await plugin.diff(type, drifted, inputs);
  expect(Object.keys(diff.detailed).sort()).toEqual([...shows].sort());
  if (diff.replaces.length > 0) {
    await plugin.delete(type, drifted);
    await same(await read(await plugin.create(type, inputs)));
  } else await same(await read(await plugin.update(type, drifted, inputs)));
}

const vm: Values = {
  nodeName: "node03",
  vmId: 115,
  name: "web",
  description: "of the web",
  tags: ["homelab"],
  clone: { vmId: 9003, full: true },
  acpi: true,
  agent: { enabled: true, type: "virtio", trim: false },
  bios: "seabios",
  bootOrders: ["scsi0"],
  cdrom: { fileId: "none", interface: "ide3" },
  cpu: { cores: 2, sockets: 1, type: "host", numa: false, limit: 2, units: 1024 },
  disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 20, discard: "on", ssd: true }],
  hotplug: "network,disk,usb",
  initialization: {
    datastoreId: "local-lvm",
    interface: "ide2",
    dns: { domain: "home", servers: ["192.168.1.2"] },
    ipConfigs: [{ ipv4: { address: "192.168.1.15/24", gateway: "192.168.1.1" } }],
    userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAA a@b"] },
    upgrade: false,
  },
  keyboardLayout: "en-us",
  machine: "q35",
  memory: { dedicated: 2048, floating: 1024 },
  networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false, vlanId: 7, mtu: 1400, rateLimit: 5, queues: 2 }],
  onBoot: true,
  operatingSystem: { type: "l26" },
  protection: false,
  poolId: "lab",
  scsiHardware: "virtio-scsi-single",
  serialDevices: [{ device: "socket" }],
  startup: { order: 1, upDelay: 2, downDelay: 3 },
  tabletDevice: true,
  vga: { type: "std", memory: 32 },
  watchdog: { enabled: true, model: "i6300esb", action: "reset" },
};

const configured = (form: Record<string, string>) => () => edit("PUT", `${QEMU}/config`, form);

describe("a VM", () => {
  beforeEach(async () => {
    await lab.template();
    await edit("POST", "/pools", { poolid: "lab" });
    await edit("POST", "/pools", { poolid: "other" });
  });

  test.each<[string, () => Promise<void>, string[]]>([
    ["acpi", configured({ acpi: "0" }), ["acpi"]],
    ["agent", configured({ agent: "enabled=1,fstrim_cloned_disks=1,type=virtio" }), ["agent.trim"]],
    ["bios", configured({ bios: "ovmf" }), ["bios"]],
    ["boot order", configured({ boot: "order=net0" }), ["bootOrders[0]"]],
    ["CD drive: another disc", configured({ ide3: "cdrom,media=cdrom" }), ["cdrom.fileId"]],
    ["CD drive: taken away", configured({ delete: "ide3" }), ["cdrom.interface"]],
    ["cores", configured({ cores: "4" }), ["cpu.cores"]],
    ["sockets", configured({ sockets: "2" }), ["cpu.sockets"]],
    ["CPU type", configured({ cpu: "x86-64-v2" }), ["cpu.type"]],
    ["NUMA", configured({ numa: "1" }), ["cpu.numa"]],
    ["CPU limit", configured({ cpulimit: "1" }), ["cpu.limit"]],
    ["CPU units", configured({ cpuunits: "512" }), ["cpu.units"]],
    ["memory", configured({ memory: "4096" }), ["memory.dedicated"]],
    ["balloon", configured({ balloon: "512" }), ["memory.floating"]],
    ["name", configured({ name: "other" }), ["name"]],
    ["description", configured({ description: "mine" }), ["description"]],
    ["tags", configured({ tags: "mine" }), ["tags[0]"]],
    ["onboot", configured({ onboot: "0" }), ["onBoot"]],
    ["operating system", configured({ ostype: "win11" }), ["operatingSystem.type"]],
    ["protection", configured({ protection: "1" }), ["protection"]],
    ["tablet", configured({ tablet: "0" }), ["tabletDevice"]],
    ["keyboard", configured({ keyboard: "de" }), ["keyboardLayout"]],
    ["machine", configured({ machine: "pc" }), ["machine"]],
    ["SCSI controller", configured({ scsihw: "virtio-scsi-pci" }), ["scsiHardware"]],
    ["hotplug", configured({ hotplug: "network" }), ["hotplug"]],
    ["start order", configured({ startup: "order=9,up=2,down=3" }), ["startup.order"]],
    ["start order: taken away", configured({ delete: "startup" }), ["startup.downDelay", "startup.order", "startup.upDelay"]],
    ["display", configured({ vga: "type=qxl,memory=32" }), ["vga.type"]],
    ["watchdog", configured({ watchdog: "model=i6300esb,action=poweroff" }), ["watchdog.action"]],
    ["watchdog: taken away", configured({ delete: "watchdog" }), ["watchdog.enabled"]],
    ["serial port: taken away", configured({ delete: "serial0" }), ["serialDevices[0]"]],
    ["name server", configured({ nameserver: "9.9.9.9" }), ["initialization.dns.servers[0]"]],
    ["search domain", configured({ searchdomain: "else" }), ["initialization.dns.domain"]],
    ["address", configured({ ipconfig0: "ip=192.168.1.99/24,gw=192.168.1.1" }), ["initialization.ipConfigs[0].ipv4.address"]],
    ["cloud-init user", configured({ ciuser: "root" }), ["initialization.userAccount.username"]],
    ["SSH keys", configured({ sshkeys: encodeURIComponent("ssh-ed25519 BBBB b@c") }), ["initialization.userAccount.keys[0]"]],
    ["package upgrade", configured({ ciupgrade: "1" }), ["initialization.upgrade"]],
    ["network", configured({ net0: "virtio=BC:24:11:00:00:09,bridge=vmbr0,tag=8,mtu=1400,rate=5,queues=2" }), ["networkDevices[0].vlanId"]],
    ["a disk's options", () => diskOption("discard=on", "discard=ignore"), ["disks[0].discard"]],
    ["power", () => lab.task("POST", `${QEMU}/status/stop`).then(() => undefined), ["started"]],
    ["pool", () => edit("PUT", "/pools/other", { vms: "115", "allow-move": "1" }), ["poolId"]],
    ["pool: none", () => edit("PUT", "/pools/lab", { vms: "115", delete: "1" }), ["poolId"]],
  ])("%s", (_name, behind, shows) => seenAndMended(VM, vm, behind, shows));

  async function diskOption(before: string, after: string): Promise<void> {
    const { data } = await lab.call("GET", `${QEMU}/config`);
    const { scsi0 } = data as { scsi0: string };
    expect(scsi0).toContain(before);
    await edit("PUT", `${QEMU}/config`, { scsi0: scsi0.replace(before, after) });
  }
});

describe("what a node has", () => {
  const network = "/nodes/node03/network";
  const storage = "/storage/drift";
  test.each<[string, string, Values, () => Promise<void>, string[]]>([
    [
      "a bridge",
      "proxmoxve:network/linux/bridge:Bridge",
      { nodeName: "node03", name: "vmbr9", comment: "guests" },
      async () => {
        await edit("PUT", `${network}/vmbr9`, { type: "bridge", autostart: "1", comments: "mine" });
        await lab.task("PUT", network);
      },
      ["comment"],
    ],
    [
      "a directory",
      "proxmoxve:storage/directory:Directory",
      { resourceId: "drift", path: "/srv/drift", contents: ["iso"], shared: false },
      () => edit("PUT", storage, { content: "iso,backup" }),
      ["contents[1]"],
    ],
    [
      "a volume group",
      "proxmoxve:storage/lvm:Lvm",
      { resourceId: "drift", volumeGroup: "pve", contents: ["images"] },
      () => edit("PUT", storage, { disable: "1" }),
      ["disable"],
    ],
    [
      "a thin pool",
      "proxmoxve:storage/lvmthin:Lvmthin",
      { resourceId: "drift", volumeGroup: "pve", thinPool: "data", contents: ["images"], nodes: ["node03"] },
      () => edit("PUT", storage, { nodes: "node03,node01" }),
      ["nodes[1]"],
    ],
    [
      "a ZFS pool",
      "proxmoxve:storage/zfspool:Zfspool",
      { resourceId: "drift", zfsPool: "tank", contents: ["images"], thinProvision: true, nodes: ["node03"] },
      () => edit("PUT", storage, { sparse: "0" }),
      ["thinProvision"],
    ],
  ])("%s", (_name, type, given, behind, shows) => seenAndMended(type, given, behind, shows));

  test("a file that is gone is made anew", async () => {
    const { plugin } = lab;
    const made = await plugin.make(FILE, IMAGE);
    const volume = `${String(FILES["resourceId"])}:import/noble.qcow2`;
    await lab.task("DELETE", `/nodes/node03/storage/${String(FILES["resourceId"])}/content/${encodeURIComponent(volume)}`);
    expect(await plugin.read(FILE, made)).toBeUndefined();
    expect((await plugin.make(FILE, IMAGE)).id).toBe(made.id);
  });
});
