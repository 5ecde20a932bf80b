import * as fs from "node:fs";
import * as path from "node:path";
import { loadHomelab } from "../../../tests/support/homelab";
import { type Problem, problemText } from "../problems";
import { checkVms } from "./check-vms";
import { readVm, readVms } from "./load-vms";

const CASES = path.join(__dirname, "../../../tests/inventory");
const estate = loadHomelab();
const { site: SITE } = estate;
const NODES = estate.proxmox.nodes;
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
    const problems = checkVms(vms, NODES, SITE).problems.map(problemText);
    expect(problems).toEqual(fs.readFileSync(path.join(folder, "expected.txt"), "utf8").trimEnd().split("\n"));
  });
});

test("all problems of all files come as one error", () => {
  expect(() => readVms(path.join(CASES, "bad"), "vms")).toThrow(/^\d+ errors in the VM definitions:\n {2}vms\/a-list.yaml:1: \(file\): /);
});

test("the homelab's eleven VMs are all there and fit their hosts", () => {
  const { vms, warnings } = loadHomelab();
  expect([...warnings.values()].flat()).toEqual([]);
  expect([...vms.values()].map(({ name, node, memoryMiB, vmId, cloudInit }) => [name, node, memoryMiB, vmId, cloudInit.ipv4.address])).toEqual([
    ["boot-server", "node01", 1024, 110, "192.168.1.10"],
    ["dns", "node01", 4096, 103, "192.168.1.3"],
    ["haproxy", "node01", 512, 104, "192.168.1.4"],
    ["k8s-dev", "node03", 8192, 112, "192.168.1.12"],
    ["k8s-home", "node02", 28672, 116, "192.168.1.16"],
    ["k8s-observability", "node03", 16384, 120, "192.168.1.20"],
    ["k8s-prod", "node03", 6144, 114, "192.168.1.14"],
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
    holdsData: false,
    fullClone: true,
    args: undefined,
    bootOrder: ["scsi0"],
    agent: false,
    scsiHardware: "virtio-scsi-single",
    automaticReboot: true,
    serial: false,
    disks: [{ interface: "scsi0", storage: "local-lvm", sizeGiB: 1024, format: undefined }],
    passthrough: [],
    cdrom: undefined,
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

const minimal = (more = "", name = "a"): string =>
  `name: ${name}\ntarget_node: node02\nnested_disks: {scsi: {scsi0: {disk: {storage: local-lvm, size: 8G}}}}\nnetwork: {bridge: vmbr0}\nipconfig0: ip=192.168.1.9/24\n${more}`;

const accepted = (text: string, name = "a") => {
  const read = readVm(`${name}.yaml`, text);
  if (!("vm" in read)) throw new Error(read.problems.map(problemText).join("; "));
  return read.vm;
};

describe("what old files say is taken", () => {
  test("a password has no effect, and its value appears nowhere", () => {
    const vm = accepted(minimal("cipassword: hunter2\n"));
    expect(checkVms([vm], NODES, SITE)).toEqual({
      problems: [],
      warnings: [
        { file: "a.yaml", line: 6, key: "cipassword", message: "has no effect: log-in is by key only; remove the line and treat the value as compromised" },
      ],
    });
    expect(JSON.stringify(vm)).not.toContain("hunter2");
    expect(accepted(minimal("cipassword: null\n")).warnings).toEqual([]);
  });

  test("every key that the original took, in every form, is accepted", () => {
    const text = `name: a
target_node: node02
cores: 2
sockets: 1
memory: 1024
cpu_type: x86-64-v2-AES
onboot: false
clone: ubuntu24-template
full_clone: true
args: null
boot: null
agent: 0
vm_state: null
scsihw: virtio-scsi-single
define_connection_info: false
automatic_reboot: false
ciuser: null
cipassword: null
sshkeys: null
nameserver: null
ipconfig0: "ip=192.168.1.9/24,gw=192.168.1.1,ip6=fd00::9/64,gw6=fd00::1"
skip_ipv6: false
serial: false
template: null
nested_disks:
  scsi:
    scsi0:
      disk: { storage: local-lvm, size: 1T, format: null }
    scsi1:
      passthrough:
        file: /dev/disk/by-id/usb-SanDisk_Extreme_55DD_24399K401631-0:0
        backup: false
        discard: true
        emulatessd: true
        iops_r_burst: 200
        iops_r_burst_length: 0
        iops_r_concurrent: 100
        iops_wr_burst: 220
        iops_wr_burst_length: 0
        iops_wr_concurrent: 110
        iothread: true
        mbps_r_burst: 20
        mbps_r_concurrent: 10
        mbps_wr_burst: 22
        mbps_wr_concurrent: 11
        readonly: false
        replicate: true
        size: 1T
  ide:
    ide1:
      cloudinit: { storage: local-lvm }
disks:
  - { slot: scsi0, type: disk, size: 50G, storage: local-lvm, iso: null, format: raw, cloudinit: false }
network: { model: e1000, bridge: vmbr0, firewall: false }
`;
    const vm = accepted(text);
    expect(vm.warnings).toEqual([]);
    expect(vm.spec).toMatchObject({
      fullClone: true,
      agent: false,
      running: true,
      automaticReboot: false,
      holdsData: true,
      disks: [{ interface: "scsi0", storage: "local-lvm", sizeGiB: 1024, format: undefined }],
      passthrough: [
        {
          interface: "scsi1",
          device: "/dev/disk/by-id/usb-SanDisk_Extreme_55DD_24399K401631-0:0",
          backup: false,
          replicate: true,
          discard: true,
          emulateSsd: true,
          ioThread: true,
          sizeGiB: 1024,
          speed: { iopsRead: 100, iopsReadBurstable: 200, iopsWrite: 110, iopsWriteBurstable: 220, read: 10, readBurstable: 20, write: 11, writeBurstable: 22 },
        },
      ],
      cloudInit: { ipv4: { address: "192.168.1.9", prefix: 24, gateway: "192.168.1.1" }, ipv6: { address: "fd00::9/64", gateway: "fd00::1" } },
      network: { model: "e1000", bridge: "vmbr0", firewall: false },
    });
  });

  test("options that no provider can pass on are told", () => {
    const text = minimal().replace("8G}}", "8G}}, scsi1: {passthrough: {file: /dev/disk/by-id/usb-X, readonly: true, iops_wr_burst_length: 3}}");
    expect(accepted(text).warnings.map(show)).toEqual([
      "3: nested_disks.scsi.scsi1.passthrough.readonly: has no effect: the provider does not know this option of a disk",
      "3: nested_disks.scsi.scsi1.passthrough.iops_wr_burst_length: has no effect: the provider does not know this option of a disk",
    ]);
  });

  test("keys of several people stand one a line, blank lines left out", () => {
    const keys = "sshkeys: |\n  ssh-ed25519 AAAA one@home\n\n  ssh-rsa BBBB two@home\n";
    expect(accepted(minimal(keys)).spec.cloudInit.sshKeys).toEqual(["ssh-ed25519 AAAA one@home", "ssh-rsa BBBB two@home"]);
  });

  test("an ISO of the flat layout becomes a drive", () => {
    const vm = accepted(
      "name: a\ntarget_node: node02\nnetwork: {bridge: vmbr0}\nipconfig0: ip=192.168.1.9/24\nboot: order=ide2;scsi0;net0\ndisks:\n  - {slot: scsi0, size: 9G, storage: local-lvm}\n  - {slot: ide2, type: cdrom, iso: local:iso/pve-8.3-1.iso}\n",
    );
    expect([vm.spec.cdrom, vm.spec.bootOrder]).toEqual([{ interface: "ide2", file: "local:iso/pve-8.3-1.iso" }, ["ide2", "scsi0", "net0"]]);
  });
});

test("processors that VMs share are a warning, naming all of them", () => {
  const vms = ["a", "b"].map((name, index) => accepted(minimal(`cores: ${5 + index}\n`, name).replace(".9/24", `.${9 + index}/24`), name));
  expect(checkVms(vms, NODES, SITE)).toEqual({
    problems: [],
    warnings: [
      {
        file: "b.yaml",
        line: 6,
        key: "cores",
        message: "the VMs of node02 share its 8 threads: they have 11 virtual processors (a.yaml: 5, b.yaml: 6)",
      },
    ],
  });
});
