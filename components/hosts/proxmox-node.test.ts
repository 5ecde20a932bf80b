/** Bridges and storages of nodes: what each definition becomes. */
import { Provider } from "@muhlba91/pulumi-proxmoxve/provider";
import { Directory } from "@muhlba91/pulumi-proxmoxve/storage/directory";
import { mockEngine, only, settle } from "../../tests/support/pulumi-mocks";
import type { BridgeSpec, StorageSpec } from "./node-spec";
import { ProxmoxHost } from "./proxmox-host";
import { ProxmoxStorage } from "./proxmox-storage";

const BRIDGE = "proxmoxve:network/linux/bridge:Bridge";
const HOST = {
  node: "node01",
  bridge: "vmbr0",
  image: { url: "https://images/x.img", sha256: "ab", fileName: "x.qcow2", datastore: "homelab" },
  templateName: "ubuntu24-template",
  templateId: 9001,
  templateStorage: "local-lvm",
};

async function host(bridges: BridgeSpec[]) {
  const registered = await mockEngine();
  const provider = new Provider("proxmox", { endpoint: "https://pve" });
  const storage = new Directory("files", { resourceId: "homelab", path: "/x" }, { provider });
  new ProxmoxHost("node01", { ...HOST, bridges, storages: [storage] }, { providers: { proxmoxve: provider } });
  await settle(registered);
  return registered;
}

test("a bridge is one resource of its node, with what its definition says and no more", async () => {
  const registered = await host([{ name: "vmbr1", address: "10.0.0.1/24", ports: ["eno2"], vlanAware: true, vids: "1 20" }, { name: "vmbr2" }]);
  expect(only(registered, BRIDGE, "node01-vmbr1").inputs).toEqual({
    ...{ nodeName: "node01", name: "vmbr1", address: "10.0.0.1/24", ports: ["eno2"], vlanAware: true, vids: "1 20" },
  });
  expect(only(registered, BRIDGE, "node01-vmbr2").inputs).toEqual({ nodeName: "node01", name: "vmbr2" });
});

test("the image waits for storages, the template for storages and bridges", async () => {
  const registered = await host([{ name: "vmbr1" }]);
  const [storage, bridge] = ["storage/directory:Directory::files", "network/linux/bridge:Bridge::node01-vmbr1"];
  const waits = (name: string): string[] =>
    only(registered, name === "node01-image" ? "proxmoxve:download/fileLegacy:FileLegacy" : "proxmoxve:index/vmLegacy:VmLegacy").dependencies;
  expect(waits("node01-image")).toEqual([expect.stringContaining(storage)]);
  expect(waits("node01-template").toSorted()).toEqual([
    expect.stringContaining("download/fileLegacy:FileLegacy::node01-image"),
    expect.stringContaining(bridge),
    expect.stringContaining(storage),
  ]);
});

test("one that is taken over, or has the node's gateway, stays when it is taken out of the program", async () => {
  const registered = await host([{ name: "vmbr0", adopt: true }, { name: "vmbr1", gateway: "10.0.0.254" }, { name: "vmbr2" }]);
  const options = (name: string) => {
    const { importId, retainOnDelete } = only(registered, BRIDGE, name);
    return { importId, retainOnDelete };
  };
  expect(options("node01-vmbr0")).toEqual({ importId: "node01:vmbr0", retainOnDelete: true });
  expect(options("node01-vmbr1")).toEqual({ importId: "", retainOnDelete: true });
  expect(options("node01-vmbr2")).toEqual({ importId: "", retainOnDelete: false });
  expect(only(registered, BRIDGE, "node01-vmbr0").inputs).toEqual({ nodeName: "node01", name: "vmbr0" });
});

test.each<[string, StorageSpec, object]>([
  ["directory:Directory", { name: "homelab", type: "dir", path: "/var/lib/homelab", contents: ["import", "iso"] }, { path: "/var/lib/homelab", shared: false }],
  ["lvm:Lvm", { name: "homelab", type: "lvm", volumeGroup: "vg0", contents: ["images"] }, { volumeGroup: "vg0" }],
  [
    "lvmthin:Lvmthin",
    { name: "homelab", type: "lvmthin", volumeGroup: "pve", thinPool: "data", contents: ["images"] },
    { volumeGroup: "pve", thinPool: "data" },
  ],
  ["zfspool:Zfspool", { name: "homelab", type: "zfspool", zfsPool: "tank", blocksize: "16k", contents: ["images"] }, { zfsPool: "tank", blocksize: "16k" }],
])("a storage of the kind %s is one entry of the cluster, on the nodes that name it", async (kind, spec, inputs) => {
  const registered = await mockEngine();
  const provider = new Provider("proxmox", { endpoint: "https://pve" });
  new ProxmoxStorage("storage-homelab", { spec, nodes: ["node01", "node03"] }, { providers: { proxmoxve: provider } });
  new ProxmoxStorage("storage-old", { spec: { ...spec, name: "old", adopt: true }, nodes: ["node01"] }, { providers: { proxmoxve: provider } });
  await settle(registered);
  const made = only(registered, `proxmoxve:storage/${kind}`, "storage-homelab-entry");
  expect(made.inputs).toEqual({ resourceId: "homelab", contents: [...spec.contents], nodes: ["node01", "node03"], ...inputs });
  expect([made.importId, made.retainOnDelete]).toEqual(["", false]);
  expect(only(registered, `proxmoxve:storage/${kind}`, "storage-old-entry")).toMatchObject({ importId: "old", retainOnDelete: true });
});
