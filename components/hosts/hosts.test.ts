import { Provider } from "@muhlba91/pulumi-proxmoxve/provider";
import * as pulumi from "@pulumi/pulumi";
import { compileRole, type Role } from "../../ansible-replacements";
import { mockEngine, only, plain, settle } from "../../tests/support/pulumi-mocks";
import { VM_SPEC } from "../../tests/support/vm-spec";
import { HostRole } from "./host-role";
import { ProxmoxHost } from "./proxmox-host";
import { notCompared, Vm, vmInputs } from "./vm";
import type { VmSpec } from "./vm-spec";

const SPEC: VmSpec = { ...VM_SPEC, cloudInit: { ...VM_SPEC.cloudInit, sshKeys: ["ssh-ed25519 BBBB friend", "ssh-ed25519 AAAA operator"] } };
const ARGS = { spec: SPEC, templateId: 9003, user: "suporte", operatorKeys: ["ssh-ed25519 AAAA operator"], stack: "dev" };

test("a VM definition becomes exactly these inputs of the provider", () => {
  expect(vmInputs(ARGS)).toEqual({
    nodeName: "node03",
    vmId: 112,
    name: "k8s-dev",
    tags: ["homelab", "dev"],
    clone: { vmId: 9003, full: true, retries: 10 },
    cpu: { cores: 4, sockets: 1, type: "host" },
    memory: { dedicated: 4096 },
    scsiHardware: "virtio-scsi-single",
    disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 30, fileFormat: "raw" }],
    initialization: {
      datastoreId: "local-lvm",
      interface: "ide1",
      ipConfigs: [{ ipv4: { address: "192.168.1.12/24", gateway: "192.168.1.1" }, ipv6: { address: "dhcp" } }],
      userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAA operator", "ssh-ed25519 BBBB friend"] },
      dns: { servers: ["192.168.1.3"] },
    },
    networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false }],
    bootOrders: ["scsi0"],
    agent: { enabled: true, waitForIp: { disabled: true } },
    serialDevices: [{ device: "socket" }],
    operatingSystem: { type: "l26" },
    onBoot: true,
    started: true,
    rebootAfterUpdate: true,
    stopOnDestroy: true,
  });
});

test("what a definition leaves out is left out", () => {
  const inputs = vmInputs({
    ...ARGS,
    spec: {
      ...SPEC,
      serial: false,
      running: false,
      cloudInit: { ...SPEC.cloudInit, ipv6: undefined, nameservers: [], ipv4: { address: "192.168.1.12", prefix: 24, gateway: undefined } },
    },
  });
  expect(inputs.serialDevices).toEqual([]);
  expect(Object.keys(inputs)).not.toContain("kvmArguments");
  expect(inputs.started).toBe(false);
  expect(inputs.initialization).toEqual({
    datastoreId: "local-lvm",
    interface: "ide1",
    ipConfigs: [{ ipv4: { address: "192.168.1.12/24" } }],
    userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAA operator", "ssh-ed25519 BBBB friend"] },
  });
});

test("a device of the host comes as a path, cut where it has a colon", () => {
  const passthrough = {
    interface: "scsi1",
    device: "/dev/disk/by-id/usb-SanDisk_Extreme_55DD_24399K401631-0:0",
    backup: undefined,
    replicate: true,
    discard: true,
    emulateSsd: undefined,
    ioThread: undefined,
    sizeGiB: undefined,
    speed: { iopsRead: 100 },
  };
  const cut = { datastoreId: "/dev/disk/by-id/usb-SanDisk_Extreme_55DD_24399K401631-0", pathInDatastore: "0" };
  const disks = (disk: typeof passthrough) => vmInputs({ ...ARGS, spec: { ...SPEC, passthrough: [disk] } }).disks;
  expect(disks(passthrough)).toEqual([
    { interface: "scsi0", datastoreId: "local-lvm", size: 30, fileFormat: "raw" },
    { interface: "scsi1", ...cut, fileFormat: "raw", replicate: true, discard: "on", speed: { iopsRead: 100 } },
  ]);
  const whole = disks({ ...passthrough, device: "/dev/disk/by-id/ata-X" });
  expect(whole).toMatchObject([{}, { datastoreId: "", pathInDatastore: "/dev/disk/by-id/ata-X" }]);
});

test("limits and a size that a disk does not say are left out of the comparison, those that it says are not", () => {
  const disks = [{ interface: "scsi0", size: 30 }, { interface: "scsi1" }, { interface: "scsi2", size: 8, speed: { read: 1 } }];
  expect(notCompared(disks)).toEqual(["disks[0].speed", "disks[1].speed", "disks[1].size"]);
});

test("a VM is one resource, and its address is that of its definition", async () => {
  const registered = await mockEngine();
  const vm = new Vm("k8s-dev", ARGS, { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } });
  expect(await new Promise((resolve) => pulumi.all([vm.address, vm.vmId, vm.instance]).apply(resolve))).toEqual(["192.168.1.12", 112, "02:00:00:00:00:12"]);
  await settle(registered);
  expect(registered.filter((r) => r.type !== "pulumi:providers:proxmoxve").map((r) => [r.type, r.name])).toEqual([
    ["homelab:hosts:Vm", "k8s-dev"],
    ["proxmoxve:index/vmLegacy:VmLegacy", "k8s-dev-vm"],
  ]);
});

test("a host gets the image with its checksum, and a template that is made of it", async () => {
  const registered = await mockEngine();
  new ProxmoxHost(
    "node01",
    {
      node: "node01",
      bridge: "vmbr0",
      image: { url: "https://images/x.img", sha256: "ab", fileName: "x.qcow2", datastore: "local" },
      templateName: "ubuntu24-template",
      templateId: 9001,
      templateStorage: "local-lvm",
    },
    { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } },
  );
  await settle(registered);
  expect(only(registered, "proxmoxve:download/fileLegacy:FileLegacy").inputs).toEqual({
    nodeName: "node01",
    datastoreId: "local",
    contentType: "import",
    url: "https://images/x.img",
    fileName: "x.qcow2",
    checksum: "ab",
    checksumAlgorithm: "sha256",
    overwrite: false,
  });
  expect(only(registered, "proxmoxve:index/vmLegacy:VmLegacy", "node01-template").inputs).toMatchObject({
    vmId: 9001,
    template: true,
    started: false,
    disks: [{ interface: "scsi0", datastoreId: "local-lvm", importFrom: "local:import/x.qcow2", size: 8, fileFormat: "raw" }],
  });
});

describe("a role on a host", () => {
  const role: Role = { name: "r", operations: [{ name: "one", check: ["true"], apply: ["true"] }] };
  const connection = { address: "192.168.1.12", user: "suporte", privateKey: pulumi.secret("KEY") };

  test("is its script as one command, run again when script or host change", async () => {
    const registered = await mockEngine();
    new HostRole("k3s", { role, connection, instance: "02:00" });
    await settle(registered);
    const { inputs } = only(registered, "command:remote:Command");
    expect(plain(inputs)).toEqual({
      connection: { host: "192.168.1.12", port: 22, user: "suporte", privateKey: "KEY", dialErrorLimit: 20, perDialTimeout: 15 },
      create: compileRole(role).command,
      triggers: [compileRole(role).digest, "02:00"],
    });
  });

  test("takes its secrets on standard input, and not in its command", async () => {
    const registered = await mockEngine();
    new HostRole("k3s", { role: { ...role, secrets: ["TOKEN"] }, connection, instance: "02:00", secrets: { TOKEN: "s3cret" } });
    await settle(registered);
    const { inputs } = only(registered, "command:remote:Command");
    expect(inputs["stdin"]).toEqual({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "czNjcmV0\n" });
    expect(JSON.stringify({ ...inputs, stdin: "" })).not.toContain("s3cret");
  });

  test("goes through a bastion where there is one", async () => {
    const registered = await mockEngine();
    const bastion = { host: "127.0.0.1", port: 18022, user: "jump", privateKey: "JUMP" };
    new HostRole("k3s", { role, connection: { ...connection, bastion }, instance: "02:00" });
    await settle(registered);
    expect(plain(only(registered, "command:remote:Command").inputs["connection"])).toMatchObject({
      host: "192.168.1.12",
      proxy: { host: "127.0.0.1", port: 18022, user: "jump", privateKey: "JUMP" },
    });
  });

  test("that makes no sense fails before anything is registered", async () => {
    const registered = await mockEngine();
    const broken: Role = { name: "r", operations: [{ name: "one", check: [], apply: ["true"] }] };
    expect(() => new HostRole("k3s", { role: broken, connection, instance: "x" })).toThrow('role r: "one" needs a check and an apply');
    expect(registered).toEqual([]);
  });
});

describe("a VM whose host is waited for", () => {
  const access = {
    user: "suporte",
    privateKey: pulumi.secret("KEY"),
    bastion: { host: "jump", port: 22, user: "jump", privateKey: pulumi.secret("JUMP"), hostKey: "ssh-ed25519 JJJJ" },
  };
  const ready = { access, checkout: "/checkout" };
  const WAIT = "node bin/components/hosts/wait-ready.main.js";

  test("has commands that wait for its first boot and for each restart, with their task on standard input alone", async () => {
    const registered = await mockEngine();
    new Vm("k8s-dev", { ...ARGS, ready }, { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } });
    await settle(registered);
    const shared = { dir: "/checkout", logging: "stderr", triggers: ["02:00:00:00:00:12"], stdin: "" };
    const [first, again] = ["k8s-dev-first-boot", "k8s-dev-ready"].map((name) => only(registered, "command:local:Command", name).inputs);
    expect({ ...first, stdin: "" }).toEqual({ ...shared, create: WAIT });
    const printed = '{"bootId":"b","hostKey":"ssh-ed25519 AAAA","restartParts":{}}\n';
    expect({ ...again, stdin: "" }).toEqual({
      ...shared,
      create: 'printf %s "$HOMELAB_FIRST_BOOT"',
      update: WAIT,
      environment: { HOMELAB_FIRST_BOOT: printed },
    });
    for (const inputs of [first, again]) expect(inputs?.["stdin"]).toHaveProperty("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270");
    const target = { host: "192.168.1.12", user: "suporte", privateKey: "KEY", bastion: { ...access.bastion, privateKey: "JUMP" } };
    expect(JSON.parse(String(plain(first?.["stdin"])))).toEqual({
      name: "k8s-dev",
      node: "node03",
      budgetSeconds: 600,
      target,
      restartParts: expect.objectContaining({ cores: "4", memory: "4096", "scsi0.storage": '"local-lvm"' }),
    });
    expect(Object.keys(JSON.parse(String(plain(again?.["stdin"]))))).toEqual(["name", "restartParts", "budgetSeconds", "target"]);
    expect(JSON.parse(String(plain(again?.["stdin"])))).toMatchObject({ target: { ...target, hostKey: "ssh-ed25519 AAAA" } });
  });

  test("is reached without a bastion where there is none", async () => {
    const registered = await mockEngine();
    const direct = { ...ready, access: { user: "suporte", privateKey: "KEY" } };
    new Vm("k8s-dev", { ...ARGS, ready: direct }, { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } });
    await settle(registered);
    const [first, again] = ["k8s-dev-first-boot", "k8s-dev-ready"].map((name) => only(registered, "command:local:Command", name).inputs["stdin"]);
    const target = { host: "192.168.1.12", user: "suporte", privateKey: "KEY" };
    expect(JSON.parse(String(plain(first))).target).toEqual(target);
    expect(JSON.parse(String(plain(again))).target).toEqual({ ...target, hostKey: "ssh-ed25519 AAAA" });
  });

  test("gives the key that its host showed, and is reached by that key alone", async () => {
    const registered = await mockEngine();
    const vm = new Vm("k8s-dev", { ...ARGS, ready }, { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } });
    expect(await new Promise((resolve) => vm.hostKey?.apply(resolve))).toBe("ssh-ed25519 AAAA");
    new HostRole("k3s", { role: { name: "r", operations: [] }, connection: vm.connection(access), instance: vm.instance });
    await settle(registered);
    expect(plain(only(registered, "command:remote:Command").inputs["connection"])).toMatchObject({
      host: "192.168.1.12",
      hostKey: "ssh-ed25519 AAAA",
      proxy: { hostKey: "ssh-ed25519 JJJJ" },
    });
  });

  test("is not waited for while it is off", async () => {
    const registered = await mockEngine();
    new Vm(
      "k8s-dev",
      { ...ARGS, ready, spec: { ...SPEC, running: false } },
      { providers: { proxmoxve: new Provider("proxmox", { endpoint: "https://pve" }) } },
    );
    await settle(registered);
    expect(registered.filter((r) => r.type === "command:local:Command")).toEqual([]);
  });
});
