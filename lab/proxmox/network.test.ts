import { LAB_SITE } from "../../tests/support/lab-site";
import { ProxmoxLab } from "../../tests/support/proxmox-lab";

let lab: ProxmoxLab;
beforeEach(async () => {
  lab = await ProxmoxLab.start();
});
afterEach(async () => {
  await lab.stop();
});

const NETWORK = "/nodes/node03/network";
const vmbr1 = { iface: "vmbr1", type: "bridge", autostart: "1", cidr: "10.0.0.1/24", bridge_ports: "eno2", comments: "guests", bridge_vlan_aware: "1" };
const named = async (): Promise<unknown[]> => ((await lab.call("GET", NETWORK)).data as { iface: string }[]).map(({ iface }) => iface);

test("a node begins with its ports and vmbr0, which has its address", async () => {
  expect((await lab.call("GET", NETWORK, { type: "any_bridge" })).data).toEqual([
    {
      ...{ iface: "vmbr0", type: "bridge", priority: 4, families: ["inet"], active: 1, autostart: 1, bridge_ports: "eno1", bridge_stp: "off", bridge_fd: "0" },
      ...{ cidr: "192.168.1.250/24", address: "192.168.1.250", netmask: "24", gateway: "192.168.1.1", method: "static", method6: "manual" },
    },
  ]);
  expect(await named()).toEqual(["eno1", "eno2", "vmbr0"]);
});

test("a bridge is pending until the reload; the list has the diff beside its data", async () => {
  expect(await lab.call("POST", NETWORK, vmbr1)).toMatchObject({ status: 200, data: null });
  const { data, changes } = await lab.call("GET", NETWORK);
  expect((data as unknown[])[3]).toMatchObject({ iface: "vmbr1", bridge_vlan_aware: 1, bridge_vids: "2-4094", comments: "guests\n", bridge_ports: "eno2" });
  expect((data as unknown[])[3]).not.toHaveProperty("active");
  expect(changes).toBe(
    [
      ...["--- /etc/network/interfaces", "+++ /etc/network/interfaces.new", "@@ -13,3 +13,13 @@"],
      ...[" \tbridge-stp off", " \tbridge-fd 0", " ", "+auto vmbr1", "+iface vmbr1 inet static", "+\taddress 10.0.0.1/24", "+\tbridge-ports eno2"],
      ...["+\tbridge-stp off", "+\tbridge-fd 0", "+\tbridge-vlan-aware yes", "+\tbridge-vids 2-4094", "+#guests", "+", ""],
    ].join("\n"),
  );
  expect(await lab.task("PUT", NETWORK)).toBe("OK");
  expect((await lab.call("GET", NETWORK)).changes).toBeUndefined();
  expect((await lab.call("GET", `${NETWORK}/vmbr1`)).data).toMatchObject({ active: 1, cidr: "10.0.0.1/24" });
  expect(lab.writes()).toEqual(["network-create", "network-reload"]);
});

test("a change and a deletion; what is deleted is named; what changes nothing is no change", async () => {
  await lab.call("POST", NETWORK, vmbr1);
  await lab.task("PUT", NETWORK);
  const seq = lab.mark();
  expect(
    await lab.call("PUT", `${NETWORK}/vmbr1`, { type: "bridge", autostart: "1", bridge_ports: "eno2", delete: "cidr,comments,bridge_vlan_aware" }),
  ).toMatchObject({
    status: 200,
  });
  await lab.task("PUT", NETWORK);
  const { data } = await lab.call("GET", `${NETWORK}/vmbr1`);
  expect(data).toMatchObject({ method: "manual", autostart: 1 });
  for (const key of ["cidr", "comments", "bridge_vids"]) expect(data).not.toHaveProperty(key);
  await lab.call("PUT", `${NETWORK}/vmbr1`, { type: "bridge", autostart: "1" });
  await lab.call("DELETE", `${NETWORK}/vmbr1`);
  await lab.task("PUT", NETWORK);
  expect(await named()).toEqual(["eno1", "eno2", "vmbr0"]);
  expect(lab.writes(seq)).toEqual(["network-update", "network-reload", "network-delete", "network-reload"]);
});

test("a revert drops what is pending, and a reload that fails leaves it pending", async () => {
  await lab.call("POST", NETWORK, vmbr1);
  lab.ctx.faults.queue({ name: "proxmox.task-failed", target: "srvreload" });
  expect(await lab.task("PUT", NETWORK)).toBe("command failed: exit code 1");
  expect((await lab.call("GET", NETWORK)).changes).toContain("+auto vmbr1");
  expect(await lab.call("DELETE", NETWORK)).toMatchObject({ status: 200 });
  expect(await named()).toEqual(["eno1", "eno2", "vmbr0"]);
  expect(lab.writes()).toEqual(["network-create", "network-revert"]);
});

test.each<[string, Record<string, string>, object]>([
  ["a name that is taken", { ...vmbr1, iface: "vmbr0" }, { status: 400, errors: { iface: "interface already exists" } }],
  ["a second gateway", { ...vmbr1, gateway: "10.0.0.254" }, { status: 400, errors: { gateway: "Default gateway already exists on interface 'vmbr0'." } }],
  ["a port of another bridge", { ...vmbr1, bridge_ports: "eno1" }, { status: 500, reason: "port 'eno1' is already used on interface 'vmbr0'" }],
  ["a port that is not there", { ...vmbr1, bridge_ports: "eno9" }, { status: 500, reason: "bridge 'vmbr1' - unable to find bridge port 'eno9'" }],
  [
    "an unknown and wrong parameters",
    { ...vmbr1, cidr: "10.0.0.1", mtu: "9", color: "blue" },
    {
      status: 400,
      errors: {
        cidr: "invalid format - value does not look like a valid IPv4 network",
        mtu: "value must have a minimum value of 1280",
        color: "property is not defined in schema and the schema does not allow additional properties",
      },
    },
  ],
  ["a wrong name", { ...vmbr1, iface: "9a" }, { status: 400, errors: { iface: "invalid format - invalid network interface name '9a'" } }],
])("%s is refused in Proxmox's words", async (_, form, answer) => {
  expect(await lab.call("POST", NETWORK, form)).toMatchObject(answer);
  expect(lab.writes()).toEqual([]);
  expect(lab.ctx.unhandled.all().map(({ what }) => what)).toEqual(
    "color" in form ? ["POST /api2/json/nodes/node03/network: the parameter color is not modelled"] : [],
  );
});

test("a missing interface is refused, and one of a kind that is not modelled is answered and noted as such", async () => {
  for (const [method, form] of [
    ["PUT", { type: "bridge" }],
    ["DELETE", {}],
  ] as const)
    expect(await lab.call(method, `${NETWORK}/vmbr7`, form)).toMatchObject({ status: 400, errors: { iface: "interface does not exist" } });
  expect(await lab.call("POST", NETWORK, { iface: "bond0", type: "bond", slaves: "eno1 eno2" })).toMatchObject({ status: 501 });
  expect(lab.ctx.unhandled.all()).toMatchObject([{ what: "network interface with type bond" }]);
});

test("a VM whose bridge is not there does not start, and does once it is applied", async () => {
  const vm = { vmid: "100", name: "a", net0: "virtio,bridge=vmbr1", scsi0: "local-lvm:8" };
  expect(await lab.task("POST", "/nodes/node03/qemu", vm)).toBe("OK");
  await lab.call("POST", NETWORK, vmbr1);
  expect(await lab.task("POST", "/nodes/node03/qemu/100/status/start")).toBe("start failed: QEMU exited with code 1");
  expect(lab.proxmox.state().tasks.at(-1)?.log).toContain("bridge 'vmbr1' does not exist");
  await lab.task("PUT", NETWORK);
  expect(await lab.task("POST", "/nodes/node03/qemu/100/status/start")).toBe("OK");
});

test("hardware that was added after a state was saved is in its first state; what was changed or removed stays so", async () => {
  await lab.call("POST", NETWORK, vmbr1);
  await lab.call("DELETE", "/storage/slowdata");
  const saved = JSON.parse(JSON.stringify(lab.proxmox.save())) as { networks: Record<string, unknown> };
  const { node02: _removed, ...networks } = saved.networks;
  const without = (name: string): boolean => !["local-lvm", "node02"].includes(name);
  const before = {
    ...LAB_SITE,
    nodes: LAB_SITE.nodes.filter(({ name }) => without(name)),
    storages: LAB_SITE.storages.filter(({ storage }) => without(storage)),
  };
  const storages = lab.proxmox.state().storages.filter(({ storage }) => without(storage));
  lab.proxmox.restore({ ...saved, networks, storages }, before);
  expect(await named()).toEqual(["eno1", "eno2", "vmbr0", "vmbr1"]);
  expect(((await lab.call("GET", "/nodes/node02/network")).data as { iface: string }[]).map(({ iface }) => iface)).toEqual(["eno1", "vmbr0"]);
  expect(((await lab.call("GET", "/storage")).data as { storage: string }[]).map(({ storage }) => storage).sort()).toEqual([
    ...["data2", "homelab", "local", "local-lvm"],
  ]);
});

test("networks and storages are kept in the state", async () => {
  await lab.call("POST", NETWORK, vmbr1);
  const saved = JSON.parse(JSON.stringify(lab.proxmox.save()));
  await lab.call("DELETE", NETWORK);
  await lab.call("DELETE", "/storage/homelab");
  lab.proxmox.restore(saved, LAB_SITE);
  expect(await named()).toEqual(["eno1", "eno2", "vmbr0", "vmbr1"]);
  expect((await lab.call("GET", "/storage/homelab")).status).toBe(200);
});
