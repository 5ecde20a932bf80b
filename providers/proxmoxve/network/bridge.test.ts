import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { partialFailure, TestProvider } from "../../../tests/support/test-provider";
import { UNKNOWN } from "../../sdk/values";
import { provider } from "../provider";
import { announce } from "./announce";
import { isAbout } from "./node-network";

const BRIDGE = "proxmoxve:network/linux/bridge:Bridge";
const guests = { nodeName: "node01", name: "vmbr1", address: "10.0.0.1/24", comment: "guests", ports: ["eno3", "eno2"], mtu: 9000 };
const main = { nodeName: "node01", name: "vmbr0", address: "192.168.1.248/24", gateway: "192.168.1.1", ports: ["eno1"] };
const FOREIGN = "--- a\n+++ b\n@@ -9,3 +9,4 @@\n iface vmbr0 inet static\n \taddress 192.168.1.248/24\n+\tmtu 9000\n";

describe("proxmoxve:network/linux/bridge:Bridge", () => {
  let pve: FakePve;
  let plugin: TestProvider;
  beforeEach(async () => {
    pve = await startFakePve();
    plugin = await TestProvider.start(provider, { endpoint: pve.endpoint, apiToken: FAKE_TOKEN, insecure: "true" });
  });
  afterEach(async () => {
    await plugin.close();
    await pve.close();
  });
  const writes = (): string[] => pve.calls.filter((call) => !call.startsWith("GET"));
  const names = (): unknown[] => pve.network.interfaces.map(({ iface }) => iface);

  test("is written, then applied; the id is node and name", async () => {
    const state = await plugin.make(BRIDGE, guests);
    expect(state.id).toBe("node01:vmbr1");
    expect(writes()).toEqual([
      "POST nodes/node01/network?iface=vmbr1&type=bridge&autostart=1&cidr=10.0.0.1%2F24&mtu=9000&comments=guests&bridge_ports=eno2+eno3",
      "PUT nodes/node01/network",
    ]);
    expect(state.outputs).toEqual({ ...guests, id: state.id, ports: ["eno2", "eno3"], autostart: true, timeoutReload: 100, vlanAware: false });
    const { inputs } = await plugin.check(BRIDGE, guests, state.inputs);
    expect(await plugin.diff(BRIDGE, state, inputs)).toMatchObject({ changes: "none", detailed: {} });
    const refreshed = await plugin.read(BRIDGE, state);
    expect(refreshed?.outputs).toEqual(state.outputs);
    expect((await plugin.diff(BRIDGE, { ...state, ...refreshed }, inputs)).changes).toBe("none");
  });

  test("an update sends the whole bridge, and names what it does not have any more", async () => {
    const state = await plugin.make(BRIDGE, { ...guests, vlanAware: true });
    expect(state.outputs["vids"]).toBe("2-4094");
    pve.calls.length = 0;
    const { inputs } = await plugin.check(BRIDGE, { nodeName: "node01", name: "vmbr1", address: "10.0.0.2/24", vlanAware: false }, state.inputs);
    expect(await plugin.diff(BRIDGE, state, inputs)).toMatchObject({
      replaces: [],
      diffs: expect.arrayContaining(["address", "comment", "mtu", "ports", "vlanAware"]),
    });
    const updated = await plugin.update(BRIDGE, state, inputs);
    expect(writes()).toEqual([
      "PUT nodes/node01/network/vmbr1?type=bridge&autostart=1&cidr=10.0.0.2%2F24&delete=mtu%2Ccomments%2Cbridge_ports%2Cbridge_vlan_aware%2Cbridge_vids",
      "PUT nodes/node01/network",
    ]);
    expect(updated.outputs).toEqual({
      id: state.id,
      nodeName: "node01",
      name: "vmbr1",
      address: "10.0.0.2/24",
      autostart: true,
      timeoutReload: 100,
      vlanAware: false,
    });
  });

  test("another name or node replaces it, and the old one goes first", async () => {
    const state = await plugin.make(BRIDGE, guests);
    const diff = async (more: object) => plugin.diff(BRIDGE, state, (await plugin.check(BRIDGE, { ...guests, ...more }, state.inputs)).inputs);
    expect(await diff({ name: "vmbr2" })).toMatchObject({ replaces: ["name"], deleteBeforeReplace: true });
    expect(await diff({ nodeName: "node02" })).toMatchObject({ replaces: ["nodeName"], deleteBeforeReplace: true });
    expect(await diff({ timeoutReload: 30 })).toMatchObject({ replaces: [], diffs: ["timeoutReload"] });
    expect(await diff({ autostart: false })).toMatchObject({ replaces: [], diffs: ["autostart"] });
  });

  test("what was changed by hand is a difference after a refresh, also what the program does not name", async () => {
    const state = await plugin.make(BRIDGE, guests);
    pve.network.interfaces = pve.network.interfaces.map((entry) =>
      entry["iface"] === "vmbr1" ? { ...entry, mtu: 1500, gateway: "10.0.0.254", autostart: 0 } : entry,
    );
    const refreshed = await plugin.read(BRIDGE, state);
    const { inputs } = await plugin.check(BRIDGE, guests, refreshed?.inputs);
    expect((await plugin.diff(BRIDGE, { ...state, ...refreshed }, inputs)).diffs.toSorted()).toEqual(["autostart", "gateway", "mtu"]);
  });

  test("an import takes all that it has; what is no bridge is refused", async () => {
    const empty = { inputs: {}, outputs: {} };
    const read = await plugin.read(BRIDGE, { id: "node01:vmbr0", ...empty });
    expect(read?.inputs).toEqual({ ...main, autostart: true, timeoutReload: 100, __defaults: [] });
    const { inputs } = await plugin.check(BRIDGE, main, read?.inputs);
    expect((await plugin.diff(BRIDGE, { id: "node01:vmbr0", inputs: read?.inputs ?? {}, outputs: read?.outputs ?? {} }, inputs)).changes).toBe("none");
    await expect(plugin.read(BRIDGE, { id: "node01:eno1", ...empty })).rejects.toMatchObject({ details: "eno1 on node01 is no bridge: its type is eth" });
    await expect(plugin.read(BRIDGE, { id: "vmbr0", ...empty })).rejects.toMatchObject({
      details: expect.stringMatching(/^"vmbr0" is no bridge's id\n.*such as pve1:vmbr0/),
    });
    expect(await plugin.read(BRIDGE, { id: "node01:vmbr7", ...empty })).toBeUndefined();
  });

  test("one that is there already is refused, and says how it is taken over", async () => {
    await expect(plugin.make(BRIDGE, main)).rejects.toMatchObject({
      details: "node01 has an interface vmbr0 already, and it was not made by this stack\n  next: import it (its id is node01:vmbr0), or choose another name",
    });
    expect(writes()).toEqual([]);
  });

  test("changes that somebody has pending are neither applied nor lost", async () => {
    pve.network.changes = FOREIGN;
    await expect(plugin.make(BRIDGE, guests)).rejects.toMatchObject({
      details: expect.stringMatching(
        /^node01: its network has changes that are not applied, and are not of this stack\n[\s\S]*\+\tmtu 9000[\s\S]*apply or revert it/,
      ),
    });
    expect([writes(), pve.network.changes]).toEqual([[], FOREIGN]);
  });

  test("what somebody changes while a bridge is written is not applied with it; what Proxmox makes of its ports is", async () => {
    const { handle } = pve.network;
    const meanwhile = (entry: { iface: string; type: string }) => {
      pve.network.handle = (method, path, params) => {
        const answer = handle.call(pve.network, method, path, params);
        if (method === "POST") pve.network.interfaces = [...pve.network.interfaces, entry];
        return answer;
      };
    };
    meanwhile({ iface: "eno3", type: "eth" });
    expect((await plugin.make(BRIDGE, guests)).id).toBe("node01:vmbr1");
    pve.calls.length = 0;
    meanwhile({ iface: "vmbr8", type: "bridge" });
    await expect(plugin.make(BRIDGE, { nodeName: "node01", name: "vmbr2" })).rejects.toMatchObject({
      details: expect.stringMatching(/^node01: somebody changed its network while vmbr2 was written, which is pending with it now/),
    });
    expect(writes()).toEqual([expect.stringMatching(/^POST/)]);
  });

  test("a creation and a deletion that were cut before the reload go on where they were", async () => {
    pve.network.handle("POST", "network", { iface: "vmbr1", type: "bridge", comments: "old" });
    const state = await plugin.make(BRIDGE, guests);
    expect(writes()[0]).toMatch(/^PUT nodes\/node01\/network\/vmbr1\?type=bridge&.*comments=guests/);
    expect(pve.network.changes).toBeUndefined();
    pve.network.handle("DELETE", "network/vmbr1", {});
    pve.calls.length = 0;
    await plugin.delete(BRIDGE, state);
    expect([writes(), pve.network.changes]).toEqual([["PUT nodes/node01/network"], undefined]);
  });

  test("a reload that never began takes the change back", async () => {
    pve.failNext(/^PUT nodes\/node01\/network$/, { status: 500, message: "you need ifupdown2 to reload networking" });
    await expect(plugin.make(BRIDGE, guests)).rejects.toMatchObject({
      details: expect.stringMatching(/^node01: the network could not be reloaded, and the change of vmbr1 was taken back: .*you need ifupdown2/),
    });
    expect(names()).toEqual(["eno1", "vmbr0"]);
    expect(writes().at(-1)).toBe("DELETE nodes/node01/network");
  });

  test("one that was written and whose reload failed is kept in the state, and applied by the next run", async () => {
    pve.failNext(/^PUT nodes\/node01\/network$/, { task: "command 'ifreload -a' failed: exit code 1" });
    const thrown = await plugin.make(BRIDGE, guests).catch((error: unknown) => error);
    const failed = partialFailure(thrown);
    expect(failed).toMatchObject({
      id: "node01:vmbr1",
      reasons: [expect.stringMatching(/^node01: vmbr1 is written, and the network could not be reloaded: .*exit code 1/s)],
    });
    const { inputs } = await plugin.check(BRIDGE, guests);
    await plugin.update(BRIDGE, { id: "node01:vmbr1", inputs, outputs: failed?.outputs ?? {} }, inputs);
    expect(writes().at(-1)).toBe("PUT nodes/node01/network");
  });

  test("looks at the reload that are not answered are repeated, and another reload is waited out", async () => {
    pve.failNext(/tasks\/UPID.*srvreload.*\/status/, { status: 596, message: "Connection timed out" });
    pve.failNext(/^PUT nodes\/node01\/network$/, { task: "command 'ifreload -a' failed: exit code 89" });
    expect((await plugin.make(BRIDGE, guests)).id).toBe("node01:vmbr1");
    expect(writes().filter((call) => call === "PUT nodes/node01/network").length).toBe(2);
  });

  test("delete removes and applies, once or twice", async () => {
    const state = await plugin.make(BRIDGE, guests);
    pve.calls.length = 0;
    await plugin.delete(BRIDGE, state);
    await plugin.delete(BRIDGE, state);
    expect(writes()).toEqual(["DELETE nodes/node01/network/vmbr1", "PUT nodes/node01/network"]);
    expect(await plugin.read(BRIDGE, state)).toBeUndefined();
  });

  test("the preview knows not what Proxmox fills in", async () => {
    const { inputs } = await plugin.check(BRIDGE, guests);
    expect((await plugin.create(BRIDGE, inputs, { preview: true })).outputs).toMatchObject({
      vlanAware: UNKNOWN,
      vids: UNKNOWN,
      autostart: true,
      timeoutReload: 100,
    });
    expect(pve.calls).toEqual([]);
  });

  test("wrong inputs are told with their property and what is right", async () => {
    const wrong = { name: "a-name-too-long", address: "10.0.0.1", gateway: "fe80::1", mtu: 100, timeoutReload: 1, ports: [" "], vids: "all" };
    expect((await plugin.check(BRIDGE, { ...wrong, slaves: "eno2" })).failures.toSorted()).toEqual([
      "address: must be an address with its prefix, such as 10.20.0.10/24",
      "gateway: must be an IPv4 address",
      "mtu: must be a whole number from 1280 to 65520",
      "name: must be a letter and up to 9 letters, digits or _, such as vmbr1",
      "nodeName: is required",
      "ports[0]: must be an interface of the node, such as eno1",
      "slaves: the embedded provider does not support this property; the official plugin may",
      "timeoutReload: must be a whole number, 5 at least",
      'vids: must be VLAN ids or ranges separated by spaces, such as "1 20 100-200"',
    ]);
    expect((await plugin.check(BRIDGE, { ...guests, vids: "1 20" })).failures).toEqual(["vids: needs vlanAware: true; set it, or leave vids out"]);
    expect((await plugin.check(BRIDGE, { ...guests, vids: "1 20", vlanAware: UNKNOWN })).failures).toEqual([]);
  });
});

test.each<[string, object, string[]]>([
  ["another address", { address: "192.168.1.9/24" }, ["address 192.168.1.248/24 → 192.168.1.9/24"]],
  ["other ports and no gateway", { gateway: undefined, ports: [] }, ["gateway 192.168.1.1 → none", "ports eno1 → none"]],
  ["an address that is not known yet", { address: UNKNOWN }, ["address 192.168.1.248/24 → a value not known yet"]],
  ["a comment and ports in another order", { comment: "x", ports: ["eno1 "] }, []],
])("a preview of %s says whether the node may be cut off", (_, change, lines) => {
  const told = lines.length === 0 ? [] : [`vmbr0 carries an address of node01, which may become unreachable: ${lines.join(", ")}. Have its console at hand.`];
  expect(announce("node01:vmbr0", main, { ...main, ...change })).toEqual(told);
  expect(announce("node01:vmbr1", { nodeName: "node01", name: "vmbr1" }, { ...change, nodeName: "node01", name: "vmbr1" })).toEqual([]);
});

test.each([
  ["a new stanza", "@@ -9,1 +9,3 @@\n \n+auto vmbr1\n+iface vmbr1 inet manual\n+\tbridge-ports none\n", true],
  ["a header that Proxmox puts before all of it", "@@ -1,1 +1,3 @@\n+# network interface settings\n+\n auto lo\n@@ -9 +9 @@\n+iface vmbr1 inet manual\n", true],
  ["a line whose stanza is not shown", "@@ -9,1 +9,3 @@\n \tbridge-stp off\n+\tmtu 9000\n", false],
  ["another stanza too", "@@ -9,1 +9,3 @@\n+iface vmbr1 inet manual\n+\n+iface vmbr2 inet manual\n", false],
])("pending changes with %s", (_, diff, about) => {
  expect(isAbout(`--- /etc/network/interfaces\n+++ /etc/network/interfaces.new\n${diff}`, "vmbr1")).toBe(about);
});
