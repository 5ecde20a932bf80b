import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { partialFailure, type State, TestProvider } from "../../../tests/support/test-provider";
import { clone, template, VM } from "../../../tests/support/vm-inputs";
import { withoutNotes } from "../../sdk/schema-check";
import { UNKNOWN, type Values } from "../../sdk/values";
import { provider } from "../provider";
import { announce } from "./foresee";

describe("proxmoxve:index/vmLegacy:VmLegacy", () => {
  let pve: FakePve;
  let plugin: TestProvider;
  beforeEach(async () => {
    pve = await startFakePve();
    plugin = await TestProvider.start(provider, { endpoint: `${pve.endpoint}/`, apiToken: FAKE_TOKEN });
  });
  afterEach(async () => {
    await plugin.close();
    await pve.close();
  });

  const made = async (inputs: Values): Promise<State> => {
    const state = await plugin.make(VM, inputs);
    pve.calls.length = 0;
    return state;
  };
  const config = (id: number): Record<string, string> => pve.vms.get(id)?.config ?? {};

  test("a template: created from an image, its disk resized, converted, never started", async () => {
    const state = await plugin.make(VM, template);
    expect(state.id).toBe("9000");
    expect(pve.calls.map((call) => call.replace(/\?.*/, ""))).toEqual([
      "POST nodes/node01/qemu",
      "GET nodes/node01/qemu/9000/config",
      "PUT nodes/node01/qemu/9000/resize",
      "POST nodes/node01/qemu/9000/template",
      "PUT nodes/node01/qemu/9000/config",
      "GET nodes/node01/qemu/9000/config",
    ]);
    const created = new URLSearchParams(pve.calls[0]?.split("?")[1]);
    expect(created.get("scsi0")).toBe(
      "file=local-lvm:0,import-from=local:import/noble.qcow2,format=raw,aio=io_uring,backup=1,iothread=0,ssd=0,discard=ignore,cache=none,replicate=1",
    );
    expect(created.get("boot")).toBe("order=ide3;scsi0;net0");
    expect(config(9000)["template"]).toBe("1");
    expect(pve.vms.get(9000)?.running).toBe(false);
    expect(state.outputs).toMatchObject({ template: true, started: false, vmId: 9000, ipv4Addresses: [] });
  });

  test("a clone: configured, disk grown, cloud-init drive added, started, addresses from the agent", async () => {
    await made(template);
    const state = await plugin.make(VM, clone);
    expect(state.id).toBe("120");
    expect(pve.calls[0]).toMatch(
      /^POST nodes\/node01\/qemu\/9000\/clone\?newid=120&full=1&description=homelab%3A\+being\+created\+%28[0-9a-f]{16}%29&name=dev$/,
    );
    expect(config(120)["description"]).toBeUndefined();
    expect(config(120)).toMatchObject({
      cores: "4",
      memory: "8192",
      boot: "order=scsi0",
      tags: "dev;homelab",
      ciuser: "suporte",
      sshkeys: "ssh-ed25519%20AAAA%2BB%20a%40b",
      nameserver: "192.168.1.2 1.1.1.1",
      ipconfig0: "gw=192.168.1.1,ip=192.168.1.15/24",
      ide2: "local-lvm:vm-120-cloudinit,media=cdrom",
      scsi0: expect.stringMatching(/^local-lvm:vm-120-disk-0,.*size=40G$/),
    });
    expect(config(120)["template"]).toBeUndefined();
    expect(pve.vms.get(120)?.running).toBe(true);
    expect(state.outputs).toMatchObject({
      vmId: 120,
      started: true,
      ipv4Addresses: [["127.0.0.1"], ["10.0.0.5"]],
      networkInterfaceNames: ["lo", "eth0"],
      networkDevices: [{ bridge: "vmbr0", model: "virtio", macAddress: expect.stringMatching(/^BC:24:11:/) }],
      disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 40, pathInDatastore: "vm-120-disk-0" }],
    });
  });

  test("inputs that are the same are no change, also after a refresh, and a second update asks Proxmox for nothing", async () => {
    await made(template);
    const state = await made(clone);
    const { inputs } = await plugin.check(VM, clone, state.inputs);
    expect((await plugin.diff(VM, state, inputs)).detailed).toEqual({});
    const refreshed = await plugin.read(VM, state);
    expect(refreshed?.inputs).toEqual(state.inputs);
    expect(refreshed?.outputs).toEqual(state.outputs);
    pve.calls.length = 0;
    await plugin.update(VM, state, state.inputs);
    expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
  });

  test("a state of the official plugin, with null for what has no value, is checked, compared, read and updated as it is", async () => {
    await made(template);
    const { dns: _dns, ...initialization } = clone["initialization"] as Values;
    const program = { ...clone, initialization, serialDevices: [] };
    const state = await made(program);
    // The official plugin leaves a clone the serial port of its template, and does not see it.
    config(120)["serial0"] = "socket";
    const nulls = { efiDisk: null, hookScriptFileId: null, hostpcis: null, vga: null, startup: null, usbs: null, timeoutMoveDisk: null };
    const withNull = (values: Values): Values => ({
      ...values,
      ...nulls,
      initialization: { ...(values["initialization"] as Values), dns: null, userDataFileId: null, type: null },
      agent: { ...(values["agent"] as Values), waitForIp: null },
      networkDevices: (values["networkDevices"] as Values[]).map((device) => ({ ...device, vlanId: null, trunks: null })),
    });
    const official: State = { id: state.id, inputs: withNull(state.inputs), outputs: withNull(state.outputs) };
    const { inputs, failures } = await plugin.check(VM, program, official.inputs);
    expect(failures).toEqual([]);
    expect((await plugin.diff(VM, official, inputs)).detailed).toEqual({});
    const refreshed = await plugin.read(VM, official);
    expect(refreshed?.inputs).toEqual(official.inputs);
    pve.calls.length = 0;
    expect((await plugin.diff(VM, { ...official, ...refreshed }, inputs)).detailed).toEqual({});
    const larger = await plugin.check(VM, { ...program, name: "other" }, official.inputs);
    expect(await plugin.update(VM, official, larger.inputs, { preview: true })).toMatchObject({ outputs: { name: "other" } });
    await plugin.update(VM, official, larger.inputs);
    expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual(["PUT nodes/node01/qemu/120/config?name=other"]);
    expect(config(120)["serial0"]).toBe("socket");
  });

  test("a serial port goes where the last inputs had one, and with the clone of a template", async () => {
    await made(template);
    expect(config(9000)["serial0"]).toBe("socket");
    const state = await made({ ...clone, serialDevices: [] });
    expect(config(120)["serial0"]).toBeUndefined();
    const wanted = await plugin.check(VM, { ...clone, serialDevices: [{}] }, state.inputs);
    const second = await plugin.update(VM, state, wanted.inputs);
    expect(config(120)["serial0"]).toBe("socket");
    const without = await plugin.check(VM, { ...clone, serialDevices: [] }, second.inputs);
    await plugin.update(VM, second, without.inputs);
    expect(config(120)["serial0"]).toBeUndefined();
  });

  test.each<[string, Values, string[]]>([
    [
      "a CD drive where the cloud-init drive goes",
      { cdrom: { fileId: "none", interface: "ide2" } },
      ["initialization.interface: the cloud-init drive and the CD drive are both at ide2: give one of them another interface"],
    ],
    [
      "a named cloud-init drive on a disk",
      { initialization: { ...(clone["initialization"] as Values), interface: "scsi0" } },
      ["initialization.interface: the cloud-init drive and disk 0 are both at scsi0: give one of them another interface"],
    ],
    [
      "two disks",
      { disks: [{ interface: "scsi0" }, { interface: "scsi1" }, { interface: "scsi0" }] },
      ["disks[2].interface: disk 2 and disk 0 are both at scsi0: give one of them another interface"],
    ],
    [
      "a disk where the CD drive is by default",
      { cdrom: {}, disks: [{ interface: "ide3" }] },
      ["cdrom.interface: the CD drive and disk 0 are both at ide3: give one of them another interface"],
    ],
  ])("two drives in one place are refused: %s", async (_, more, failures) => {
    expect((await plugin.check(VM, { ...clone, ...more })).failures).toEqual(failures);
  });

  test("drives in places of their own, or in one that is unknown, are not refused", async () => {
    const initialization = { ...(clone["initialization"] as Values), interface: "ide0" };
    expect((await plugin.check(VM, { ...clone, initialization, cdrom: { fileId: "none", interface: "ide2" } })).failures).toEqual([]);
    expect((await plugin.check(VM, { ...clone, cdrom: { fileId: "none", interface: UNKNOWN } })).failures).toEqual([]);
  });

  test("the preview names each device that a VM loses", async () => {
    await made(template);
    const state = await plugin.make(VM, {
      ...clone,
      disks: [
        { interface: "scsi0", size: 40 },
        { interface: "scsi1", datastoreId: "tank", size: 20 },
      ],
      networkDevices: [{ bridge: "vmbr0" }, { bridge: "vmbr1" }],
    });
    const { inputs } = await plugin.check(VM, { ...clone, serialDevices: [], cdrom: { fileId: "none", interface: "ide1" } }, state.inputs);
    expect(announce("120", withoutNotes(state.inputs), withoutNotes(inputs))).toEqual([
      "VM 120 loses its disk scsi1 (tank, 20 GiB)",
      "VM 120 loses its device net1",
      "VM 120 loses its device serial0",
      "VM 120's CD drive moves from ide3 to ide1",
      expect.stringMatching(/^VM 120 will be restarted for: /),
    ]);
  });

  test("what was changed by hand shows after a refresh and is put right", async () => {
    await made(template);
    const state = await made(clone);
    config(120)["cores"] = "2";
    const refreshed = await plugin.read(VM, state);
    expect((await plugin.diff(VM, refreshed ?? state, state.inputs)).detailed).toEqual({ "cpu.cores": 4 });
    await plugin.update(VM, refreshed ?? state, state.inputs);
    expect(config(120)["cores"]).toBe("4");
  });

  test("which changes update and which replace", async () => {
    await made(template);
    const state = await made(clone);
    const diff = async (more: Values) => {
      const { inputs } = await plugin.check(VM, { ...clone, ...more }, state.inputs);
      return plugin.diff(VM, state, inputs);
    };
    expect(await diff({ memory: { dedicated: 4096 } })).toMatchObject({ replaces: [], detailed: { "memory.dedicated": 4 } });
    expect(await diff({ tags: ["dev", "homelab"] })).toMatchObject({ changes: "none" });
    expect(await diff({ nodeName: "node02" })).toMatchObject({ replaces: ["nodeName"], detailed: { nodeName: 5 } });
    expect(await diff({ vmId: 121 })).toMatchObject({ replaces: ["vmId"] });
    expect(await diff({ clone: { vmId: 9001 } })).toMatchObject({ replaces: ["clone"], detailed: { "clone.vmId": 5 } });
    expect(await diff({ clone: { vmId: UNKNOWN } })).toMatchObject({ replaces: ["clone"] });
    expect(await diff({ networkDevices: [{ bridge: "vmbr1" }] })).toMatchObject({ replaces: [], detailed: { "networkDevices[0].bridge": 4 } });
  });

  test("an update restarts where it must, and not where it need not", async () => {
    await made(template);
    const state = await made(clone);
    const renamed = await plugin.check(VM, { ...clone, name: "dev2" }, state.inputs);
    const second = await plugin.update(VM, state, renamed.inputs);
    expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual(["PUT nodes/node01/qemu/120/config?name=dev2"]);
    pve.calls.length = 0;
    const larger = await plugin.check(VM, { ...clone, name: "dev2", memory: { dedicated: 16384 }, disks: [{ interface: "scsi0", size: 50 }] }, second.inputs);
    const third = await plugin.update(VM, second, larger.inputs);
    expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual([
      "PUT nodes/node01/qemu/120/config?memory=16384",
      "PUT nodes/node01/qemu/120/resize?disk=scsi0&size=50G",
      "POST nodes/node01/qemu/120/status/shutdown?forceStop=1&timeout=1800",
      "POST nodes/node01/qemu/120/status/start?timeout=1800",
    ]);
    expect(third.outputs).toMatchObject({ memory: { dedicated: 16384 }, disks: [{ size: 50 }] });
  });

  test("a smaller disk is refused, with both sizes", async () => {
    await made(template);
    const state = await made(clone);
    const { inputs } = await plugin.check(VM, { ...clone, disks: [{ interface: "scsi0", size: 20 }] }, state.inputs);
    await expect(plugin.update(VM, state, inputs)).rejects.toMatchObject({
      details: expect.stringMatching(/^disk scsi0: Proxmox cannot make it smaller \(40 GiB now, 20 GiB wanted\)/),
    });
  });

  test("delete shuts down or stops first, and an absent VM is deleted already", async () => {
    await made(template);
    const state = await made({ ...clone, stopOnDestroy: true });
    await plugin.delete(VM, state);
    expect(pve.calls).toEqual(["POST nodes/node01/qemu/120/status/stop", "DELETE nodes/node01/qemu/120?destroy-unreferenced-disks=1&purge=1"]);
    expect(pve.vms.has(120)).toBe(false);
    await plugin.delete(VM, state);
    expect(await plugin.read(VM, state)).toBeUndefined();
  });

  test("the preview of a change keeps what Proxmox filled in, and knows nothing of a device that is new", async () => {
    await made(template);
    const state = await plugin.make(VM, clone);
    const { inputs } = await plugin.check(
      VM,
      { ...clone, memory: { dedicated: 8192 }, networkDevices: [{ bridge: "vmbr0" }, { bridge: "vmbr0" }] },
      state.inputs,
    );
    const { outputs } = await plugin.update(VM, state, inputs, { preview: true });
    const [first] = state.outputs["networkDevices"] as Values[];
    expect(first?.["macAddress"]).toMatch(/^BC:24:11:/);
    expect(outputs["networkDevices"]).toMatchObject([{ macAddress: first?.["macAddress"] }, { macAddress: UNKNOWN }]);
    expect(outputs["memory"]).toEqual({ dedicated: 8192 });
  });

  test("the preview knows what was given and no more", async () => {
    const { inputs, failures } = await plugin.check(VM, { ...clone, clone: { vmId: UNKNOWN } });
    expect(failures).toEqual([]);
    const { outputs } = await plugin.create(VM, inputs, { preview: true });
    expect(outputs).toMatchObject({ vmId: 120, name: "dev", ipv4Addresses: UNKNOWN, macAddresses: UNKNOWN });
    expect(pve.calls).toEqual([]);
  });

  test("what is not supported is refused by name", async () => {
    const { failures } = await plugin.check(VM, { ...clone, efiDisk: {}, migrate: true, disks: [{ interface: "nvme0", fileId: "local:iso/x.img" }] });
    expect(failures).toEqual([
      "disks[0].fileId: the embedded provider does not support fileId, which needs SSH to the node: use importFrom; the official plugin does",
      "disks[0].interface: must be ide, sata, scsi or virtio with a number",
      "efiDisk: the embedded provider does not support this property; the official plugin may",
      "migrate: the embedded provider does not support moving a VM to another node in place; the official plugin does",
    ]);
  });

  test("the token is in no error", async () => {
    const other = await TestProvider.start(provider, { endpoint: pve.endpoint, apiToken: "root@pam!x=99999999-0000-0000-0000-000000000000" });
    await expect(other.make(VM, template)).rejects.toMatchObject({
      details: "Proxmox: GET nodes/node01/qemu/9000/status/current: 401: invalid token\n  next: check apiToken: user@realm!name=secret",
    });
    await other.close();
  });

  test("what only root may do comes with what to do about it", async () => {
    await made(template);
    pve.failNext(/PUT nodes\/node01\/qemu\/120\/config/, { status: 403, message: "Only root can pass arbitrary filesystem paths." });
    const device = { interface: "scsi1", datastoreId: "", pathInDatastore: "/dev/disk/by-id/usb-X" };
    const thrown = await plugin.make(VM, { ...clone, disks: [...(clone["disks"] as Values[]), device] }).catch((error: unknown) => error);
    expect(partialFailure(thrown)?.reasons[0]).toMatch(/Only root can pass arbitrary filesystem paths\.\n {2}next: Proxmox allows this to root alone/);
  });
});
