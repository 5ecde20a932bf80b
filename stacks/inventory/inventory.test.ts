import * as fs from "node:fs";
import * as path from "node:path";
import { STACKS } from "../definitions";
import { NODES } from "../hosts";
import { SITE } from "../site";
import { checkVms } from "./check-vms";
import { checkOwners, loadInventory } from "./index";
import { type Problem, readVm, readVms } from "./load-vms";

const CASES = path.join(__dirname, "../../tests/inventory");
const show = (problem: Problem) => `${problem.line}: ${problem.key}: ${problem.message}`;

describe("a definition with one mistake is refused, with line, key and what is expected", () => {
  const files = fs.readdirSync(path.join(CASES, "bad"));
  test("there are cases", () => expect(files.length).toBeGreaterThanOrEqual(40));
  test.each(files)("%s", (file) => {
    const text = fs.readFileSync(path.join(CASES, "bad", file), "utf8");
    const expected = /# expected: (.*)\n/.exec(text)?.[1];
    const read = readVm(file, text);
    expect("problems" in read ? read.problems.map(show)[0] : "accepted").toBe(expected);
  });
});

describe("definitions that do not fit together are refused, naming both files", () => {
  test.each(fs.readdirSync(path.join(CASES, "together")))("%s", (name) => {
    const folder = path.join(CASES, "together", name);
    const vms = fs
      .readdirSync(folder)
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => {
        const read = readVm(file, fs.readFileSync(path.join(folder, file), "utf8"));
        if (!("vm" in read)) throw new Error(read.problems.map(show).join("; "));
        return read.vm;
      });
    const problems = checkVms(vms, NODES, SITE).map((problem) => `${problem.file}:${show(problem)}`);
    expect(problems).toEqual(fs.readFileSync(path.join(folder, "expected.txt"), "utf8").trimEnd().split("\n"));
  });
});

test("all problems of all files come as one error", () => {
  expect(() => readVms(path.join(CASES, "bad"), "vms")).toThrow(/^\d+ errors in the VM definitions:\n {2}vms\/a-list.yaml:1: \(file\): /);
});

test("the homelab's eleven VMs are all there and fit their hosts", () => {
  const vms = loadInventory();
  expect([...vms.values()].map(({ name, node, memoryMiB, vmId, cloudInit }) => [name, node, memoryMiB, vmId, cloudInit.ipv4.address])).toEqual([
    ["boot-server", "node01", 1024, 110, "192.168.1.10"],
    ["dns", "node01", 4096, 103, "192.168.1.3"],
    ["haproxy", "node01", 512, 104, "192.168.1.4"],
    ["k8s-dev", "node03", 4096, 112, "192.168.1.12"],
    ["k8s-home", "node02", 28672, 116, "192.168.1.16"],
    ["k8s-observability", "node03", 16384, 120, "192.168.1.20"],
    ["k8s-prod", "node03", 4096, 114, "192.168.1.14"],
    ["k8s-sandbox-01", "node03", 32768, 121, "192.168.1.21"],
    ["k8s-stg", "node03", 4096, 113, "192.168.1.13"],
    ["k8s-tools", "node03", 32768, 115, "192.168.1.15"],
    ["teleport", "node03", 4096, 118, "192.168.1.18"],
  ]);
});

test("a definition has every default of the original where it says nothing", () => {
  const read = readVm(
    "small.yaml",
    "name: small\ntarget_node: node01\nnested_disks: {scsi: {scsi0: {disk: {storage: local-lvm, size: 1T}}}}\nnetwork: {bridge: vmbr0}\nipconfig0: ip=192.168.1.9/24\n",
  );
  expect("vm" in read && read.vm.spec).toEqual({
    name: "small",
    node: "node01",
    vmId: 109,
    cores: 1,
    sockets: 1,
    memoryMiB: 1024,
    cpuType: "host",
    onBoot: true,
    running: true,
    fullClone: true,
    args: undefined,
    bootOrder: ["scsi0"],
    agent: false,
    scsiHardware: "virtio-scsi-single",
    automaticReboot: true,
    serial: false,
    disks: [{ interface: "scsi0", storage: "local-lvm", sizeGiB: 1024, format: undefined }],
    passthrough: [],
    cloudInit: {
      storage: "local-lvm",
      interface: "ide1",
      user: undefined,
      sshKeys: [],
      nameservers: [],
      ipv4: { address: "192.168.1.9", prefix: 24, gateway: undefined },
      ipv6: undefined,
    },
    network: { bridge: "vmbr0", model: "virtio", firewall: true },
  });
});

test("the nested layout of disks counts where a file has both, and the flat one where it is alone", () => {
  const flat =
    "name: a\ntarget_node: node01\nnetwork: {bridge: vmbr0}\nipconfig0: ip=192.168.1.9/24\ndisks:\n  - {slot: scsi0, size: 9G, storage: slowdata, format: raw}\n  - {slot: ide1, type: cdrom, cloudinit: true, storage: slowdata}\n";
  const read = readVm("a.yaml", flat);
  expect("vm" in read && [read.vm.spec.disks, read.vm.spec.cloudInit.storage]).toEqual([
    [{ interface: "scsi0", storage: "slowdata", sizeGiB: 9, format: "raw" }],
    "slowdata",
  ]);
  const both = readVm("a.yaml", `${flat}nested_disks: {scsi: {scsi0: {disk: {storage: local-lvm, size: 5G}}}}\n`);
  expect("vm" in both && both.vm.spec.disks).toEqual([{ interface: "scsi0", storage: "local-lvm", sizeGiB: 5, format: undefined }]);
});

test("every VM has one stack, and every stack's VM a file", () => {
  const names = STACKS.flatMap(({ vms }) => vms);
  expect(() => checkOwners(names, STACKS)).not.toThrow();
  expect(() => checkOwners([...names, "k8s-new"], STACKS)).toThrow("stacks/inventory/vms/k8s-new.yaml belongs to no stack");
  expect(() =>
    checkOwners(
      names.filter((name) => name !== "k8s-dev"),
      STACKS,
    ),
  ).toThrow('stack "dev" has the VM "k8s-dev", and there is no stacks/inventory/vms/k8s-dev.yaml');
  const twice = STACKS.map((stack) => (stack.name === "dev" ? { ...stack, vms: ["k8s-dev", "dns"] } : stack));
  expect(() => checkOwners(names, twice)).toThrow('the VM "dns" belongs to the stacks tools and dev');
});
