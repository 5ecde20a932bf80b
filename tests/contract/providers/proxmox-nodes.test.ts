/** Bridges and storages of the proxmoxve provider against the lab's Proxmox: created, changed, refreshed, imported, destroyed. */
import type { Values } from "../../../providers/sdk/values";
import { DIRECTORY, FILE, FILES, IMAGE, ProxmoxLab } from "../../support/proxmox-lab";
import { partialFailure } from "../../support/test-provider";

const BRIDGE = "proxmoxve:network/linux/bridge:Bridge";
const guests: Values = {
  nodeName: "node03",
  name: "vmbr1",
  address: "10.0.0.1/24",
  address6: "fd00::1/64",
  comment: "guests",
  ports: ["eno2"],
  vlanAware: true,
};

let lab: ProxmoxLab;
beforeEach(async () => {
  lab = await ProxmoxLab.start();
});
afterEach(async () => {
  await lab.stop();
  expect(lab.ctx.unhandled.all()).toEqual([]);
});

const interfacesOf = (node: string) => lab.proxmox.state().networks[node];

describe(BRIDGE, () => {
  test("made and applied; the same inputs change nothing, also after a refresh", async () => {
    const { plugin } = lab;
    const state = await plugin.make(BRIDGE, guests);
    expect(lab.writes()).toEqual(["network-create", "network-reload"]);
    expect(interfacesOf("node03")?.applied.at(-1)).toEqual({
      iface: "vmbr1",
      type: "bridge",
      options: { autostart: "1", bridge_ports: "eno2", bridge_vlan_aware: "1", cidr: "10.0.0.1/24", cidr6: "fd00::1/64", comments: "guests" },
    });
    expect(state.outputs).toEqual({ ...guests, id: "node03:vmbr1", autostart: true, timeoutReload: 100, vids: "2-4094" });
    const { inputs } = await plugin.check(BRIDGE, guests, state.inputs);
    expect((await plugin.diff(BRIDGE, state, inputs)).detailed).toEqual({});
    expect(await plugin.read(BRIDGE, state)).toEqual(state);
  });

  test("changed in place: what is taken away is gone from the node", async () => {
    const { plugin } = lab;
    const state = await plugin.make(BRIDGE, guests);
    const next: Values = { nodeName: "node03", name: "vmbr1", mtu: 1500, vlanAware: false, autostart: false };
    const { inputs } = await plugin.check(BRIDGE, next, state.inputs);
    const updated = await plugin.update(BRIDGE, state, inputs);
    expect(interfacesOf("node03")).toEqual({ applied: expect.arrayContaining([{ iface: "vmbr1", type: "bridge", options: { autostart: "0", mtu: "1500" } }]) });
    expect((await plugin.diff(BRIDGE, updated, inputs)).detailed).toEqual({});
    expect(await plugin.read(BRIDGE, updated)).toEqual(updated);
    await plugin.delete(BRIDGE, updated);
    expect(interfacesOf("node03")?.applied.map(({ iface }) => iface)).toEqual(["eno1", "eno2", "vmbr0"]);
  });

  test("the official plugin's note of what its outputs leave out does not outlive a change", async () => {
    const { plugin } = lab;
    const state = await plugin.make(BRIDGE, guests);
    const theirs = { ...state, outputs: { ...state.outputs, __pulumi_raw_state_delta: { obj: { ps: { mtu: { replace: {} } } } } } };
    expect((await plugin.read(BRIDGE, theirs))?.outputs).toEqual(state.outputs);
    const { inputs } = await plugin.check(BRIDGE, { ...guests, mtu: 1500 }, state.inputs);
    expect((await plugin.update(BRIDGE, theirs, inputs)).outputs).toEqual({ ...state.outputs, mtu: 1500 });
  });

  test("several of one node are made one after the other, and nobody's pending change is applied with them", async () => {
    const made = await Promise.all(["vmbr2", "vmbr3", "vmbr4"].map((name) => lab.plugin.make(BRIDGE, { nodeName: "node01", name })));
    expect(made.map(({ id }) => id)).toEqual(["node01:vmbr2", "node01:vmbr3", "node01:vmbr4"]);
    expect(lab.writes()).toEqual(Array.from({ length: 3 }, () => ["network-create", "network-reload"]).flat());
    await lab.call("PUT", "/nodes/node01/network/vmbr0", { type: "bridge", autostart: "1", cidr: "192.168.1.248/24", mtu: "9000" });
    await expect(lab.plugin.make(BRIDGE, { nodeName: "node01", name: "vmbr5" })).rejects.toMatchObject({
      details: expect.stringMatching(/not applied, and are not of this stack\n[\s\S]*\+\tmtu 9000/),
    });
    expect(interfacesOf("node01")?.pending).toHaveLength(5);
    expect((await lab.plugin.make(BRIDGE, { nodeName: "node02", name: "vmbr5" })).id).toBe("node02:vmbr5");
  });

  test("vmbr0 is taken over as it is", async () => {
    const { plugin } = lab;
    const inputs: Values = { nodeName: "node01", name: "vmbr0", address: "192.168.1.248/24", gateway: "192.168.1.1", ports: ["eno1"] };
    const read = await plugin.read(BRIDGE, { id: "node01:vmbr0", inputs: {}, outputs: {} });
    const { inputs: checked } = await plugin.check(BRIDGE, inputs, read?.inputs);
    expect((await plugin.diff(BRIDGE, read ?? { id: "", inputs: {}, outputs: {} }, checked)).detailed).toEqual({});
    expect(lab.writes()).toEqual([]);
  });

  test("a reload that fails leaves nothing behind, and the next run makes it", async () => {
    lab.ctx.faults.queue({ name: "proxmox.task-failed", target: "srvreload" });
    const thrown = await lab.plugin.make(BRIDGE, guests).catch((error: unknown) => error);
    expect(partialFailure(thrown)).toBeUndefined();
    expect(lab.writes()).toEqual(["network-create", "network-revert"]);
    expect((await lab.plugin.make(BRIDGE, guests)).id).toBe("node03:vmbr1");
  });
});

describe("storages", () => {
  const TYPES: [string, Values][] = [
    [DIRECTORY, { resourceId: "more", path: "/srv/more", contents: ["backup"], nodes: ["node01", "node03"], shared: false, backups: { keepLast: 2 } }],
    ["proxmoxve:storage/lvm:Lvm", { resourceId: "thick", volumeGroup: "pve", contents: ["images"], nodes: ["node01"], wipeRemovedVolumes: true }],
    ["proxmoxve:storage/lvmthin:Lvmthin", { resourceId: "thin", volumeGroup: "slowdata", thinPool: "slowdata", contents: ["images"], nodes: ["node01"] }],
    ["proxmoxve:storage/zfspool:Zfspool", { resourceId: "tank", zfsPool: "tank/vms", thinProvision: true, blocksize: "16k", nodes: ["node03"] }],
  ];

  test.each(TYPES)("%s is made, changed, refreshed, imported and destroyed", async (token, inputs) => {
    const { plugin } = lab;
    const state = await plugin.make(token, inputs);
    const { inputs: same } = await plugin.check(token, inputs, state.inputs);
    expect((await plugin.diff(token, state, same)).detailed).toEqual({});
    expect(await plugin.read(token, state)).toEqual(state);
    const { inputs: changed } = await plugin.check(token, { ...inputs, disable: true, contents: ["images"], nodes: ["node02"] }, state.inputs);
    const updated = await plugin.update(token, state, changed);
    expect(lab.proxmox.state().storages.at(-1)).toMatchObject({ options: { disable: "1", content: "images", nodes: "node02" } });
    expect((await plugin.diff(token, updated, changed)).detailed).toEqual({});
    const imported = await plugin.read(token, { id: state.id, inputs: {}, outputs: {} });
    expect((await plugin.check(token, imported?.inputs ?? {})).failures).toEqual([]);
    await plugin.delete(token, updated);
    await plugin.delete(token, updated);
    expect(lab.writes()).toEqual(["storage-create", "storage-update", "storage-delete"]);
    expect(await plugin.read(token, updated)).toBeUndefined();
  });

  test("one that is there is refused, and a volume group that is not there leaves nothing behind", async () => {
    await expect(lab.plugin.make(DIRECTORY, FILES)).rejects.toMatchObject({ details: expect.stringContaining("there is a storage homelab already") });
    await expect(lab.plugin.make("proxmoxve:storage/lvm:Lvm", { resourceId: "x1", volumeGroup: "no" })).rejects.toMatchObject({
      details: "Proxmox: POST storage: 500: create storage failed: no such volume group 'no'",
    });
    expect(lab.writes()).toEqual([]);
  });

  test("an image outlives the entry that it was downloaded to", async () => {
    const { plugin } = lab;
    const image = await plugin.make(FILE, IMAGE);
    await plugin.delete(DIRECTORY, { id: "homelab", inputs: FILES, outputs: FILES });
    await plugin.make(DIRECTORY, FILES);
    expect((await plugin.read(FILE, image))?.outputs).toEqual(image.outputs);
  });
});
