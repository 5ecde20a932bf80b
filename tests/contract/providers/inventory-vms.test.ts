/** Every VM file of the homelab, and the older layout of disks, by the provider in the lab's Proxmox: created, grown, shut off, destroyed. */
import { vmInputs } from "../../../components/hosts/vm";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import type { Values } from "../../../providers/sdk/values";
import { readVm } from "../../../stacks/load/vms/load-vms";
import { loadHomelab } from "../../support/homelab";
import { FILE, IMAGE, ProxmoxLab, TEMPLATE, VM } from "../../support/proxmox-lab";

const FLAT = `name: flat
target_node: node01
cores: 2
memory: 2048
boot: order=ide2;scsi0
serial: true
disks:
  - {slot: scsi0, type: disk, size: 20G, storage: local-lvm, format: raw}
  - {slot: virtio1, type: disk, size: 10G, storage: slowdata}
  - {slot: ide1, type: cdrom, cloudinit: true, storage: slowdata}
  - {slot: ide2, type: cdrom, iso: "homelab:iso/installer.iso"}
network: {bridge: vmbr0, firewall: false}
ipconfig0: ip=192.168.1.50/24,gw=192.168.1.1,ip6=auto
sshkeys: |
  ssh-ed25519 BBBB friend
`;

const read = readVm("flat.yaml", FLAT);
if (!("vm" in read)) throw new Error(JSON.stringify(read.problems));
const estate = loadHomelab();
const NODES = estate.proxmox.nodes;
const specs: VmSpec[] = [...estate.vms.values(), read.vm.spec];

const inputsOf = (spec: VmSpec): Values => {
  const templateId = NODES.find(({ name }) => name === spec.node)?.templateId ?? 0;
  return JSON.parse(JSON.stringify(vmInputs({ spec, templateId, user: "suporte", operatorKeys: ["ssh-ed25519 AAAA a"], stack: "tools" }))) as Values;
};

describe("VMs of the inventory", () => {
  let lab: ProxmoxLab;
  beforeAll(async () => {
    lab = await ProxmoxLab.start();
    for (const { name, templateId } of NODES) {
      await lab.plugin.make(FILE, { ...IMAGE, nodeName: name });
      await lab.plugin.make(VM, { ...TEMPLATE, nodeName: name, vmId: templateId });
    }
    await lab.plugin.make(FILE, { ...IMAGE, nodeName: "node01", contentType: "iso", fileName: "installer.iso" });
  });
  afterAll(async () => {
    await lab.stop();
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test.each(specs.map((spec): [string, VmSpec] => [spec.name, spec]))("%s is made as defined, grown, shut off and destroyed", async (_, spec) => {
    const { plugin, guests } = lab;
    const made = await plugin.make(VM, inputsOf(spec));
    const config = lab.proxmox.state().vms.find(({ vmid }) => vmid === spec.vmId)?.config ?? {};
    expect(guests.has(String(spec.vmId))).toBe(spec.running);
    expect(config).toMatchObject({
      cores: String(spec.cores),
      sockets: String(spec.sockets),
      memory: String(spec.memoryMiB),
      onboot: spec.onBoot ? "1" : "0",
      boot: `order=${spec.bootOrder.join(";")}`,
      ciuser: "suporte",
    });
    expect(config["serial0"]).toBe(spec.serial ? "socket" : undefined);
    expect(config["ipconfig0"]).toContain(`ip=${spec.cloudInit.ipv4.address}/24`);
    for (const disk of spec.disks) expect(config[disk.interface]).toMatch(new RegExp(`^${disk.storage}:.*size=${disk.sizeGiB}G`));
    for (const device of spec.passthrough) expect(config[device.interface]).toContain(device.device);
    expect(config[spec.cloudInit.interface]).toContain(`${spec.cloudInit.storage}:vm-${spec.vmId}-cloudinit`);
    if (spec.cdrom) expect(config[spec.cdrom.interface]).toBe(`${spec.cdrom.file},media=cdrom`);
    const { inputs: same } = await plugin.check(VM, inputsOf(spec), made.inputs);
    expect((await plugin.diff(VM, made, same)).detailed).toEqual({});

    const grown: VmSpec = {
      ...spec,
      running: false,
      memoryMiB: spec.memoryMiB + 512,
      disks: spec.disks.map((disk) => ({ ...disk, sizeGiB: disk.sizeGiB + 5 })),
    };
    const { inputs } = await plugin.check(VM, inputsOf(grown), made.inputs);
    const updated = await plugin.update(VM, made, inputs);
    const after = lab.proxmox.state().vms.find(({ vmid }) => vmid === spec.vmId);
    expect([after?.status, after?.config["memory"]]).toEqual(["stopped", String(grown.memoryMiB)]);
    for (const disk of grown.disks) expect(after?.config[disk.interface]).toContain(`size=${disk.sizeGiB}G`);
    expect((await plugin.diff(VM, updated, inputs)).detailed).toEqual({});
    expect(await plugin.read(VM, updated)).toEqual(updated);

    await plugin.delete(VM, updated);
    expect(lab.proxmox.state().vms.some(({ vmid }) => vmid === spec.vmId)).toBe(false);
    expect(lab.proxmox.state().volumes.some((volume) => volume.vmid === spec.vmId)).toBe(false);
  });
});
