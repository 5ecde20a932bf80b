import type { StorageSpec } from "../../components/hosts/node-spec";
import { HOMELAB_FILES } from "../../tests/support/homelab";
import { nameOf, type ProxmoxNode } from "../define/nodes";
import { checkVms } from "../load/vms/check-vms";
import { readVm } from "../load/vms/load-vms";
import { madeStorages } from "./storages";

const { site, proxmox } = HOMELAB_FILES;
const NODES = proxmox.nodes;

const FAST: StorageSpec = { name: "fast", type: "zfspool", zfsPool: "fast", contents: ["images"] };
const changed = (name: string, change: Partial<ProxmoxNode>): ProxmoxNode[] => NODES.map((node) => (node.name === name ? { ...node, ...change } : node));

const FILES: StorageSpec = { name: "homelab", type: "dir", path: "/var/lib/homelab", contents: ["import", "iso"] };

test("what is there is only named; a directory for images and ISOs is made once, for all nodes that name it", () => {
  expect(madeStorages(NODES)).toEqual([]);
  expect(madeStorages(NODES.map((node) => ({ ...node, fileStorage: FILES })))).toEqual([{ spec: FILES, nodes: ["node01", "node02", "node03"] }]);
});

test("one for disks is made on the nodes that name it", () => {
  const [first, second, third] = NODES;
  const storages = ["local-lvm", FAST];
  const own = [first, second, third].flatMap((node) => (node === undefined ? [] : [node.name === "node02" ? node : { ...node, storages, fileStorage: FAST }]));
  expect(madeStorages(own)).toEqual([{ spec: FAST, nodes: ["node01", "node03"] }]);
});

test("a name with two definitions is refused", () => {
  const nodes = changed("node02", { storages: [FILES] }).map((node) => (node.name === "node01" ? { ...node, fileStorage: { ...FILES, path: "/srv" } } : node));
  expect(() => madeStorages(nodes)).toThrow('site/nodes.ts: node02 defines the storage "homelab" differently from node01');
});

test("VM definitions are checked against what is made as against what is there", () => {
  const nodes = changed("node01", { fileStorage: FILES, bridges: ["vmbr0", { name: "vmbr1" }], storages: ["local-lvm", FAST] });
  const problems = (bridge: string, storage: string): string[] => {
    const text = `name: a\ntarget_node: node01\nnetwork: {bridge: ${bridge}}\nipconfig0: ip=192.168.1.9/24\ndisks:\n  - {slot: scsi0, size: 9G, storage: ${storage}}\n`;
    const read = readVm("a.yaml", text);
    if (!("vm" in read)) throw new Error(JSON.stringify(read.problems));
    return checkVms([read.vm], nodes, site).problems.map(({ message }) => message);
  };
  expect(problems("vmbr1", "fast")).toEqual([]);
  expect(problems("vmbr2", "slow")).toEqual(['node01 has no bridge "vmbr2"; it has vmbr0, vmbr1', 'node01 has no storage "slow"; it has local-lvm, fast']);
  expect(nodes.map(({ fileStorage }) => nameOf(fileStorage))).toEqual(["homelab", "local", "local"]);
});
