/** Compares what components/hosts/vm-changes.ts predicts for each key with what the provider and Proxmox do. */
import { vmInputs } from "../../../components/hosts/vm";
import { restartParts, restartsBetween, vmChanges } from "../../../components/hosts/vm-changes";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import { announce } from "../../../providers/proxmoxve/vm/foresee";
import { withoutNotes } from "../../../providers/sdk/schema-check";
import type { Values } from "../../../providers/sdk/values";
import { ProxmoxLab, VM } from "../../support/proxmox-lab";
import type { State } from "../../support/test-provider";
import { VM_SPEC } from "../../support/vm-spec";

const DEVICE = {
  interface: "scsi1",
  device: "/dev/disk/by-id/usb-A",
  backup: undefined,
  replicate: true,
  discard: undefined,
  emulateSsd: undefined,
  ioThread: undefined,
  sizeGiB: undefined,
  speed: undefined,
};

const BASE: VmSpec = { ...VM_SPEC, passthrough: [DEVICE] };

const disk = BASE.disks[0] as VmSpec["disks"][number];
const cloudInit = (change: Partial<VmSpec["cloudInit"]>): Partial<VmSpec> => ({ cloudInit: { ...BASE.cloudInit, ...change } });

const inputsOf = (spec: VmSpec): Values =>
  JSON.parse(JSON.stringify(vmInputs({ spec, templateId: 9003, user: "suporte", operatorKeys: ["ssh-ed25519 AAAA a"], stack: "dev" }))) as Values;

const CASES: readonly { key: string; effect: string; change: Partial<VmSpec>; announced?: string; lost?: string }[] = [
  { key: "target_node", effect: "replace", change: { node: "node02" } },
  { key: "vm_id", effect: "replace", change: { vmId: 200 } },
  { key: "cores", effect: "restart", change: { cores: 8 }, announced: "VM 112 will be restarted for: cores" },
  { key: "sockets", effect: "restart", change: { sockets: 2 }, announced: "VM 112 will be restarted for: sockets" },
  { key: "memory", effect: "restart", change: { memoryMiB: 8192 }, announced: "VM 112 will be restarted for: memory" },
  { key: "cpu_type", effect: "restart", change: { cpuType: "x86-64-v2-AES" }, announced: "VM 112 will be restarted for: cpu" },
  { key: "onboot", effect: "in-place", change: { onBoot: false } },
  { key: "vm_state", effect: "in-place", change: { running: false }, announced: "VM 112 will be shut down" },
  { key: "automatic_reboot", effect: "in-place", change: { automaticReboot: false } },
  { key: "args", effect: "restart", change: { args: "-no-hpet" }, announced: "VM 112 will be restarted for: args" },
  { key: "boot", effect: "restart", change: { bootOrder: ["scsi0", "net0"] }, announced: "VM 112 will be restarted for: boot" },
  { key: "agent", effect: "restart", change: { agent: false }, announced: "VM 112 will be restarted for: agent" },
  { key: "scsihw", effect: "restart", change: { scsiHardware: "virtio-scsi-pci" }, announced: "VM 112 will be restarted for: scsihw" },
  { key: "serial", effect: "restart", change: { serial: false }, announced: "VM 112 will be restarted for: serial0", lost: "VM 112 loses its device serial0" },
  { key: "ipconfig0", effect: "restart", change: cloudInit({ ipv6: undefined }), announced: "VM 112 will be restarted for: ipconfig0" },
  { key: "ciuser", effect: "restart", change: cloudInit({ user: "admin" }), announced: "VM 112 will be restarted for: ciuser" },
  { key: "sshkeys", effect: "restart", change: cloudInit({ sshKeys: ["ssh-ed25519 BBBB b"] }), announced: "VM 112 will be restarted for: sshkeys" },
  { key: "nameserver", effect: "restart", change: cloudInit({ nameservers: ["1.1.1.1"] }), announced: "VM 112 will be restarted for: nameserver" },
  { key: "cloudinit.storage", effect: "restart", change: cloudInit({ storage: "data2" }), announced: "VM 112 will be restarted for: cloud-init drive" },
  { key: "cloudinit.storage", effect: "restart", change: cloudInit({ interface: "ide2" }), announced: "VM 112 will be restarted for: cloud-init drive" },
  { key: "network", effect: "in-place", change: { network: { bridge: "vmbr0", model: "e1000", firewall: true } } },
  { key: "scsi0.size", effect: "in-place", change: { disks: [{ ...disk, sizeGiB: 60 }] } },
  { key: "scsi0.size", effect: "impossible", change: { disks: [{ ...disk, sizeGiB: 20 }] } },
  { key: "scsi0.format", effect: "impossible", change: { disks: [{ ...disk, format: "qcow2" }] } },
  { key: "scsi0.storage", effect: "restart", change: { disks: [{ ...disk, storage: "data2" }] }, announced: "VM 112 will be restarted for: scsi0" },
  { key: "scsi2", effect: "in-place", change: { disks: [disk, { interface: "scsi2", storage: "data2", sizeGiB: 10, format: undefined }] } },
  { key: "scsi1", effect: "in-place", change: { passthrough: [] }, lost: "VM 112 loses its disk scsi1 (/dev/disk/by-id/usb-A)" },
  {
    key: "scsi1",
    effect: "restart",
    change: { passthrough: [{ ...DEVICE, device: "/dev/disk/by-id/usb-B" }] },
    announced: "VM 112 will be restarted for: scsi1",
  },
  { key: "scsi1", effect: "restart", change: { passthrough: [{ ...DEVICE, backup: false }] }, announced: "VM 112 will be restarted for: scsi1" },
];

describe("what a change of a definition does is known before", () => {
  let lab: ProxmoxLab;
  let state: State;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    await lab.template();
    state = await lab.plugin.make(VM, inputsOf(BASE));
  });
  afterEach(async () => {
    await lab.stop();
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  /** @returns the effect that a change has at the provider and Proxmox */
  async function happens(inputs: Values): Promise<string> {
    const diff = await lab.plugin.diff(VM, state, inputs).catch((thrown: unknown) => String(thrown));
    expect(typeof diff === "string" || diff.changes).not.toBe("none");
    if (typeof diff === "string") return /E_|cannot/.test(diff) ? "impossible" : diff;
    if (diff.replaces.length > 0) {
      expect(Object.values(diff.detailed)).toContain(5);
      return "replace";
    }
    const since = lab.mark();
    const updated = await lab.plugin.update(VM, state, inputs);
    const writes = lab.writes(since);
    expect((await lab.plugin.diff(VM, updated, inputs)).detailed).toEqual({});
    expect(await lab.plugin.read(VM, updated)).toEqual(updated);
    const settled = lab.mark();
    await lab.plugin.update(VM, updated, inputs);
    expect(lab.writes(settled)).toEqual([]);
    return writes.includes("vm-start") ? "restart" : "in-place";
  }

  test.each(CASES)("$key: $effect $change", async ({ key, effect, change }) => {
    const after = { ...BASE, ...change };
    expect(vmChanges(BASE, after)).toEqual([{ key, effect }]);
    const { inputs, failures } = await lab.plugin.check(VM, inputsOf(after), state.inputs);
    expect(failures).toEqual([]);
    expect(await happens(inputs)).toBe(effect);
    expect(restartsBetween(restartParts(BASE), restartParts(after))).toBe(effect === "restart");
  });

  test.each(CASES.filter(({ effect }) => effect === "in-place" || effect === "restart"))(
    "the preview says it: $key, $change",
    async ({ change, announced, lost }) => {
      const { inputs } = await lab.plugin.check(VM, inputsOf({ ...BASE, ...change }), state.inputs);
      const since = lab.mark();
      await lab.plugin.update(VM, state, inputs, { preview: true });
      expect(lab.writes(since)).toEqual([]);
      expect(announce(state.id, withoutNotes(state.inputs), withoutNotes(inputs))).toEqual([lost, announced].filter((line) => line !== undefined));
    },
  );

  test("without automatic_reboot nothing is restarted, and it is said what waits for one", async () => {
    const patient = { ...BASE, automaticReboot: false, cores: 8 };
    const { inputs } = await lab.plugin.check(VM, inputsOf(patient), state.inputs);
    const since = lab.mark();
    await lab.plugin.update(VM, state, inputs);
    expect(lab.writes(since)).toEqual(["vm-config"]);
    expect(restartsBetween(restartParts(BASE), restartParts(patient))).toBe(false);
  });
});

test("another name is another VM, and a definition that says the same is no change", () => {
  expect(vmChanges(BASE, { ...BASE, name: "k8s-other" })).toEqual([{ key: "name", effect: "replace" }]);
  expect(vmChanges(BASE, { ...BASE, fullClone: false })).toEqual([]);
  expect(vmChanges(BASE, JSON.parse(JSON.stringify(BASE)) as VmSpec)).toEqual([]);
});
