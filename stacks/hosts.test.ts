import type { StorageSpec } from "../components/hosts/node-spec";
import { madeStorages, NODES, nameOf, type ProxmoxNode } from "./hosts";
import { checkVms } from "./inventory/check-vms";
import { readVm } from "./inventory/load-vms";
import { SITE } from "./site";

const FAST: StorageSpec = { name: "fast", type: "zfspool", zfsPool: "fast", contents: ["images"] };
const changed = (name: string, change: Partial<ProxmoxNode>): ProxmoxNode[] => NODES.map((node) => (node.name === name ? { ...node, ...change } : node));

test("one storage is made: a directory on each node for images and ISOs", () => {
  expect(madeStorages(NODES)).toEqual([
    { spec: { name: "homelab", type: "dir", path: "/var/lib/homelab", contents: ["import", "iso"] }, nodes: ["node01", "node02", "node03"] },
  ]);
});

test("a storage that is there instead is only named, and one for disks is made on the nodes that name it", () => {
  const nodes = NODES.map((node) => ({ ...node, fileStorage: "local" }));
  expect(madeStorages(nodes)).toEqual([]);
  const [first, second, third] = nodes;
  const storages = ["local-lvm", FAST];
  const own = [first, second, third].flatMap((node) => (node === undefined ? [] : [node.name === "node02" ? node : { ...node, storages, fileStorage: FAST }]));
  expect(madeStorages(own)).toEqual([{ spec: FAST, nodes: ["node01", "node03"] }]);
});

test("a name with two definitions is refused", () => {
  const nodes = changed("node02", { fileStorage: { name: "homelab", type: "dir", path: "/srv", contents: ["import"] } });
  expect(() => madeStorages(nodes)).toThrow('stacks/hosts.ts: node02 defines the storage "homelab" otherwise than node01');
});

test("VM definitions are checked against what is made as against what is there", () => {
  const nodes = changed("node01", { bridges: ["vmbr0", { name: "vmbr1" }], storages: ["local-lvm", FAST] });
  const problems = (bridge: string, storage: string): string[] => {
    const text = `name: a\ntarget_node: node01\nnetwork: {bridge: ${bridge}}\nipconfig0: ip=192.168.1.9/24\ndisks:\n  - {slot: scsi0, size: 9G, storage: ${storage}}\n`;
    const read = readVm("a.yaml", text);
    if (!("vm" in read)) throw new Error(JSON.stringify(read.problems));
    return checkVms([read.vm], nodes, SITE).problems.map(({ message }) => message);
  };
  expect(problems("vmbr1", "fast")).toEqual([]);
  expect(problems("vmbr2", "slow")).toEqual(['node01 has no bridge "vmbr2"; it has vmbr0, vmbr1', 'node01 has no storage "slow"; it has local-lvm, fast']);
  expect(nodes.map(({ fileStorage }) => nameOf(fileStorage))).toEqual(["homelab", "homelab", "homelab"]);
});
