/** The proxmoxve provider against the lab's Proxmox: image, template, clone, update, refresh, delete. */
import * as fs from "node:fs";
import { createLatency } from "../../../lab/core/latency";
import type { GuestSpec } from "../../../lab/proxmox";
import { turnFile } from "../../../providers/proxmoxve/vm/clone-turn";
import type { Values } from "../../../providers/sdk/values";
import { FILE, IMAGE as image, ProxmoxLab, LAB_TOKEN as TOKEN, TEMPLATE as template, VM } from "../../support/proxmox-lab";
import { partialFailure, type State, type TestProvider } from "../../support/test-provider";

const vm: Values = {
  nodeName: "node03",
  vmId: 115,
  name: "k8s-dev",
  tags: ["homelab", "dev"],
  clone: { vmId: 9003, full: true, retries: 10 },
  cpu: { cores: 4, sockets: 1, type: "host" },
  memory: { dedicated: 8192 },
  scsiHardware: "virtio-scsi-single",
  disks: [
    { interface: "scsi0", datastoreId: "local-lvm", size: 40, fileFormat: "raw" },
    { interface: "scsi1", datastoreId: "data2", size: 100 },
    { interface: "scsi2", datastoreId: "", pathInDatastore: "/dev/disk/by-id/ata-DISK", backup: false },
  ],
  initialization: {
    datastoreId: "local-lvm",
    interface: "ide2",
    ipConfigs: [{ ipv4: { address: "192.168.1.15/24", gateway: "192.168.1.1" } }],
    userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAAC3Nz operator@home"] },
    dns: { servers: ["192.168.1.2"] },
  },
  networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false }],
  bootOrders: ["scsi0"],
  agent: { enabled: true },
  serialDevices: [{ device: "socket" }],
  operatingSystem: { type: "l26" },
  stopOnDestroy: true,
};

describe("proxmoxve", () => {
  let lab: ProxmoxLab;
  let plugin: TestProvider;
  let guests: Map<string, GuestSpec>;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    ({ plugin, guests } = lab);
  });
  afterEach(async () => {
    await lab.stop();
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  const writes = (since?: number): string[] => lab.writes(since);
  const mark = (): number => lab.mark();
  const build = async (): Promise<State> => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    return plugin.make(VM, vm);
  };

  test("image, template and clone; the guest gets what the definition says", async () => {
    const state = await build();
    expect(writes()).toEqual(["download", "vm-create", "vm-resize", "vm-template", "vm-config", "clone", "vm-config", "vm-resize", "vm-start", "vm-config"]);
    expect(guests.get("115")).toMatchObject({
      hostname: "k8s-dev",
      address: "192.168.1.15",
      gateway: "192.168.1.1",
      user: "suporte",
      cores: 4,
      memoryMiB: 8192,
      diskGiB: 40,
    });
    expect(guests.get("115")?.authorizedKeys).toEqual(["ssh-ed25519 AAAAC3Nz operator@home"]);
    expect(state.id).toBe("115");
    expect(state.outputs["ipv4Addresses"]).toEqual(expect.arrayContaining([["192.168.1.15"]]));
  });

  test("a second run changes nothing, and neither does one after a refresh", async () => {
    const state = await build();
    const seq = mark();
    const { inputs } = await plugin.check(VM, vm, state.inputs);
    expect((await plugin.diff(VM, state, inputs)).detailed).toEqual({});
    const refreshed = await plugin.read(VM, state);
    expect(refreshed).toEqual(state);
    await plugin.update(VM, state, inputs);
    expect(writes(seq)).toEqual([]);
  });

  test("the state holds what the official plugin compares with the inputs: what is never set, and no description of the template's", async () => {
    const { outputs } = await build();
    expect(outputs).not.toHaveProperty("description");
    expect(outputs).toMatchObject({
      ...{ migrate: false, reboot: false, timeoutMoveDisk: 1800 },
      cdrom: { enabled: false },
      clone: { datastoreId: "", nodeName: "" },
      cpu: { architecture: "" },
      initialization: { fileFormat: "", metaDataFileId: "", userDataFileId: "", upgrade: true, userAccount: { password: "" } },
      memory: { hugepages: "", keepHugepages: false, shared: 0 },
    });
    expect(outputs["disks"]).toEqual(expect.arrayContaining([expect.objectContaining({ interface: "scsi0", fileId: "" })]));
  });

  test("a state with nulls, as the official plugin writes them, is read and deleted", async () => {
    const state = await build();
    const theirs = { ...state, outputs: { ...state.outputs, vga: null, cpu: { ...(state.outputs["cpu"] as Values), affinity: null } } };
    expect((await plugin.read(VM, theirs))?.outputs).toEqual(state.outputs);
    await plugin.delete(VM, { ...theirs, outputs: { ...theirs.outputs, disks: [{}] } });
    expect(await plugin.read(VM, state)).toBeUndefined();
  });

  test("more memory and disk: configured, grown, restarted", async () => {
    const state = await build();
    const seq = mark();
    const [first, ...others] = vm["disks"] as Values[];
    const { inputs } = await plugin.check(VM, { ...vm, memory: { dedicated: 16384 }, disks: [{ ...first, size: 60 }, ...others] }, state.inputs);
    const updated = await plugin.update(VM, state, inputs);
    expect(writes(seq)).toEqual(["vm-config", "vm-resize", "vm-stop", "vm-start"]);
    expect(guests.get("115")).toMatchObject({ memoryMiB: 16384, diskGiB: 60 });
    expect((await plugin.diff(VM, updated, inputs)).changes).toBe("none");
  });

  test("destroy leaves no VM, no template and no image", async () => {
    const file = await plugin.make(FILE, image);
    const base = await plugin.make(VM, template);
    const state = await plugin.make(VM, vm);
    await plugin.delete(VM, state);
    await plugin.delete(VM, base);
    await plugin.delete(FILE, file);
    expect(lab.proxmox.state()).toMatchObject({ vms: [], volumes: [] });
    expect(guests.size).toBe(0);
    expect(await plugin.read(VM, state)).toBeUndefined();
  });

  test("a VM under an id that was used before is another one", async () => {
    const first = await build();
    await plugin.delete(VM, first);
    const second = await plugin.make(VM, vm);
    const mac = (state: State) => (state.outputs["networkDevices"] as Values[])[0]?.["macAddress"];
    expect(mac(first)).toMatch(/^BC:24:11:/);
    expect(mac(second)).not.toBe(mac(first));
  });

  test("a VM is shut off and started by its definition", async () => {
    const state = await build();
    const seq = mark();
    const { inputs } = await plugin.check(VM, { ...vm, started: false }, state.inputs);
    const off = await plugin.update(VM, state, inputs);
    expect([writes(seq), off.outputs["started"], guests.has("115")]).toEqual([["vm-stop"], false, false]);
    const again = mark();
    const on = await plugin.update(VM, off, (await plugin.check(VM, vm, off.inputs)).inputs);
    expect([writes(again), on.outputs["started"], guests.has("115")]).toEqual([["vm-start"], true, true]);
  });

  test("a lock on the template is waited out", async () => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    lab.ctx.faults.queue({ name: "proxmox.clone-lock-timeout" });
    expect((await plugin.make(VM, vm)).id).toBe("115");
  });

  test.each(["qmcreate", "qmclone"])("a task %s that fails leaves no VM behind, and the next run makes it", async (type) => {
    await plugin.make(FILE, image);
    if (type === "qmclone") await plugin.make(VM, template);
    const before = lab.proxmox.state().vms.map(({ vmid }) => vmid);
    lab.ctx.faults.queue({ name: "proxmox.task-failed", target: type });
    const wanted = type === "qmclone" ? vm : template;
    const thrown: unknown = await plugin.make(VM, wanted).catch((error: unknown) => error);
    expect(String((thrown as { details?: unknown }).details)).toMatch(new RegExp(`^Proxmox: ${type} .*failed: command failed: exit code 1`));
    // The state must not have a VM that does not exist.
    expect([partialFailure(thrown), lab.proxmox.state().vms.map(({ vmid }) => vmid)]).toEqual([undefined, before]);
    expect((await plugin.make(VM, wanted)).id).toBe(String(wanted["vmId"]));
  });

  test("several processes clone on one node one after the other", async () => {
    await lab.stop();
    lab = await ProxmoxLab.start({ latency: createLatency("zero", { "proxmox.clone": 150 }) });
    ({ plugin, guests } = lab);
    await lab.template();
    const tasks = lab.proxmox.state().tasks;
    const cloning: number[] = [];
    const push = tasks.push.bind(tasks);
    tasks.push = (...added) => {
      if (added[0]?.type === "qmclone") cloning.push(tasks.filter((task) => task.type === "qmclone" && task.exitstatus === undefined).length);
      return push(...added);
    };
    const others = await Promise.all([lab.anotherPlugin(), lab.anotherPlugin()]);
    const named = (id: number): Values => ({ ...vm, vmId: id, name: `vm-${id}`, disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 40 }] });
    const made = await Promise.all([plugin, ...others].map((process, i) => process.make(VM, named(120 + i))));
    expect(made.map(({ id }) => id)).toEqual(["120", "121", "122"]);
    expect(cloning).toEqual([0, 0, 0]);
    await Promise.all(others.map((process) => process.close()));
  });

  test.each(["", '{"pid":', "\0\0\0\0"])("a turn file that has only %j does not block a clone, and is gone after it", async (text) => {
    await lab.template();
    const file = turnFile(lab.url, "node03");
    fs.writeFileSync(file, text);
    expect((await plugin.make(VM, { ...vm, timeoutClone: 20 })).id).toBe("115");
    expect([writes().filter((write) => write === "clone").length, fs.existsSync(file)]).toEqual([1, false]);
  });

  test("a clone that another machine started is waited for", async () => {
    await lab.template();
    const { tasks } = lab.proxmox.state();
    const upid = "UPID:node03:00000001:00000001:00000001:qmclone:9003:root@pam:";
    const foreign = { upid, node: "node03", type: "qmclone", id: "9003", user: "root@pam", pid: 1, starttime: 1, log: [] as string[] };
    tasks.push(foreign);
    const making = plugin.make(VM, vm);
    // The provider makes other calls meanwhile, but does not start its clone.
    await plugin.read(VM, { id: "9003", inputs: template, outputs: template });
    expect(writes()).not.toContain("clone");
    Object.assign(foreign, { exitstatus: "OK", endtime: 2 });
    expect((await making).id).toBe("115");
    expect(writes()).toContain("clone");
  });

  test("a lock that never goes is given up after the time allowed, saying what was waited for", async () => {
    await lab.template();
    lab.ctx.faults.queue({ name: "proxmox.clone-lock-timeout", times: 1000 });
    await expect(plugin.make(VM, { ...vm, timeoutClone: 1 })).rejects.toMatchObject({
      details: expect.stringMatching(/^no clone could begin on node03 in the time allowed: it waited for a lock \(.*can't lock file/),
    });
    expect(lab.proxmox.state().vms.map(({ vmid }) => vmid)).toEqual([9003]);
  });

  test("a datastore that the node does not have leaves nothing behind that the state does not know", async () => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    const thrown = await plugin
      .make(VM, {
        ...vm,
        disks: [
          { interface: "scsi0", size: 40 },
          { interface: "scsi1", datastoreId: "slowdata", size: 10 },
        ],
      })
      .catch((error: unknown) => error);
    expect(partialFailure(thrown)).toMatchObject({ id: "115", reasons: [expect.stringMatching(/slowdata.*is not available on node 'node03'/)] });
    expect(String(thrown)).not.toContain(TOKEN.secret);
  });
});
