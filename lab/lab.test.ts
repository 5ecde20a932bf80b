import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { compileRole, secretInput } from "../ansible-replacements/compile";
import { combineRoles } from "../ansible-replacements/role";
import { base } from "../ansible-replacements/roles/base";
import { k3sServer } from "../ansible-replacements/roles/k3s-server";
import { kubeadmNode } from "../ansible-replacements/roles/kubeadm-node";
import { buildVm, IMAGE, proxmox, roleAt, ssh } from "../tests/support/lab-clients";
import { LAB_SITE } from "../tests/support/lab-site";
import { KUBEADM_SECRETS, kubeadmFirst } from "../tests/support/role-cases";
import { createLatency } from "./core/latency";
import { newSshKey } from "./core/ssh-keys";
import { type Lab, startLab } from "./lab";

const PORTS = { proxy: 0, bastion: 0, control: 0 };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "lab-test-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const start = (): Promise<Lab> => startLab({ dir, ports: PORTS, latency: "zero", site: LAB_SITE });

async function withLab(test: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await start();
  try {
    await test(lab);
  } finally {
    await lab.stop();
  }
}

test("a VM's life: image, template, clone, boot, SSH, script, stop, delete", async () => {
  await withLab(async (lab) => {
    const pve = proxmox(lab);
    await buildVm(pve, "k8s-dev", "192.168.1.12");
    await lab.settled();
    expect(await ssh(lab, "192.168.1.12", "uname -n; cat", { stdin: "from outside\n" })).toEqual({
      stdout: "k8s-dev\nfrom outside\n",
      stderr: "",
      exitCode: 0,
    });
    const { data: agent } = await pve.call("GET", "/nodes/node03/qemu/100/agent/network-get-interfaces");
    expect(JSON.stringify(agent)).toContain('"ip-address":"192.168.1.12"');
    const { data: config } = await pve.call("GET", "/nodes/node03/qemu/100/config");
    expect(config).toMatchObject({
      name: "k8s-dev",
      cores: 4,
      memory: "4096",
      scsi0: "local-lvm:vm-100-disk-0,size=30G",
      ide1: "local-lvm:vm-100-cloudinit,media=cdrom,size=4M",
    });
    expect((config as { net0: string }).net0).toMatch(/^virtio=BC:24:11:[0-9A-F:]{8},bridge=vmbr0$/);

    await expect(ssh(lab, "192.168.1.12", "true", { key: newSshKey().private })).rejects.toThrow("All configured authentication methods failed");
    // `settled` waits for running tasks, however long they take.
    lab.ctx.latency = createLatency("default");
    expect((await pve.call("POST", "/nodes/node03/qemu/100/status/stop")).status).toBe(200);
    await lab.settled();
    expect(lab.proxmox.state().tasks.at(-1)).toMatchObject({ type: "qmstop", exitstatus: "OK" });
    lab.ctx.latency = createLatency("zero");
    await expect(ssh(lab, "192.168.1.12", "true")).rejects.toThrow(/Connection refused|open failure/i);
    expect(await pve.task("DELETE", "/nodes/node03/qemu/100", { purge: "1" })).toBe("OK");
    expect((await pve.call("GET", "/nodes/node03/qemu/100/config")).reason).toBe("Configuration file 'nodes/node03/qemu-server/100.conf' does not exist");
    expect(lab.ctx.unhandled.all()).toEqual([]);
    const writes = lab.ctx.records
      .since()
      .filter((r) => r.kind === "write")
      .map((r) => r.action);
    expect(writes).toEqual([
      ...["download", "vm-create", "vm-template", "clone", "vm-config", "vm-resize"],
      ...["vm-start", "host-up", "vm-stop", "vm-delete"],
    ]);
    await pve.close();
  });
});

test("the k3s role brings up a cluster, a second run changes nothing, and a restart of the lab keeps both", async () => {
  const role = k3sServer({ address: "192.168.1.12", localStoragePath: "/mnt/storage" });
  const first = await start();
  const pve = proxmox(first);
  await buildVm(pve, "k8s-dev", "192.168.1.12");
  await first.settled();
  expect((await roleAt(first, "192.168.1.12", base)).exitCode).toBe(0);
  const built = await roleAt(first, "192.168.1.12", role);
  expect(built).toMatchObject({ exitCode: 0, stderr: "" });
  const before = first.ctx.records.since().at(-1)?.seq ?? 0;
  const again = await roleAt(first, "192.168.1.12", role);
  expect(again.stdout).toContain('{"summary":{"changed":0,');
  expect(first.ctx.records.since(before).filter((r) => r.kind === "write")).toEqual([]);
  const kubeconfig = fs.readFileSync(first.file.kubeconfig, "utf8");
  expect(parse(kubeconfig)).toMatchObject({
    "current-context": "dev",
    contexts: [{ name: "dev", context: { cluster: "dev", user: "dev" } }],
    clusters: [{ name: "dev", cluster: { server: "https://192.168.1.12:6443", "proxy-url": first.file.proxy } }],
  });
  expect(fs.statSync(first.file.kubeconfig).mode & 0o777).toBe(0o600);
  expect(first.ctx.unhandled.all()).toEqual([]);
  await pve.close();
  await first.stop();

  const ports = { proxy: Number(new URL(first.file.proxy).port), bastion: 0, control: 0 };
  const second = await startLab({ dir, ports, latency: "zero" });
  try {
    expect(fs.readFileSync(second.file.kubeconfig, "utf8")).toBe(kubeconfig);
    expect((await roleAt(second, "192.168.1.12", role)).stdout).toContain('{"summary":{"changed":0,');
    expect(second.clusters.running().map(({ cluster }) => cluster.name)).toEqual(["dev"]);
    expect(second.ctx.unhandled.all()).toEqual([]);
  } finally {
    await second.stop();
  }
});

test("kubeadm brings up a cluster without what only k3s has; the kubelet, a reboot and a restart of the lab keep it", async () => {
  const role = combineRoles("node", base, kubeadmNode(), kubeadmFirst());
  const first = await start();
  const pve = proxmox(first);
  await buildVm(pve, "k8s-dev", "192.168.1.12");
  await first.settled();
  const run = (lab: Lab) => ssh(lab, "192.168.1.12", compileRole(role).command, { stdin: secretInput(role, KUBEADM_SECRETS) });
  expect(await run(first)).toMatchObject({ exitCode: 0, stderr: "" });
  const starts = (lab: Lab) => lab.ctx.records.since().filter(({ action }) => action === "cluster-start").length;
  expect(starts(first)).toBe(1);
  const [running] = first.clusters.running();
  expect([running?.cluster.name, running?.cluster.disabled.toSorted()]).toEqual(["dev", ["local-storage", "metrics-server", "servicelb", "traefik"]]);
  for (const [version, kind] of [
    ["storage.k8s.io/v1", "StorageClass"],
    ["networking.k8s.io/v1", "IngressClass"],
  ] as const)
    expect(running?.cluster.store.list(running.cluster.store.type(version, kind))).toEqual([]);
  const admin = await ssh(first, "192.168.1.12", "sudo cat /etc/kubernetes/admin.conf; sudo stat -c %a /etc/kubernetes/admin.conf");
  expect(admin.stdout).toContain("server: https://192.168.1.12:6443");
  expect(admin.stdout).toMatch(/\n600\n$/);
  const kubeconfig = fs.readFileSync(first.file.kubeconfig, "utf8");

  await ssh(first, "192.168.1.12", "sudo systemctl stop kubelet");
  expect(first.clusters.running()).toEqual([]);
  await ssh(first, "192.168.1.12", "sudo systemctl start kubelet");
  expect(await pve.task("POST", "/nodes/node03/qemu/100/status/reboot")).toBe("OK");
  await first.settled();
  expect(starts(first)).toBe(3);
  expect((await run(first)).stdout).toContain('{"summary":{"changed":0,');
  expect(fs.readFileSync(first.file.kubeconfig, "utf8")).toBe(kubeconfig);
  expect(first.ctx.unhandled.all()).toEqual([]);
  await pve.close();
  await first.stop();

  const second = await startLab({ dir, ports: { proxy: Number(new URL(first.file.proxy).port), bastion: 0, control: 0 }, latency: "zero" });
  try {
    expect(fs.readFileSync(second.file.kubeconfig, "utf8")).toBe(kubeconfig);
    expect((await run(second)).stdout).toContain('{"summary":{"changed":0,');
    expect((await ssh(second, "192.168.1.12", "sudo kubeadm reset -f")).exitCode).toBe(0);
    expect(second.clusters.running()).toEqual([]);
  } finally {
    await second.stop();
  }
});

test("two machines with one address: the later one stays off the network", async () => {
  await withLab(async (lab) => {
    const pve = proxmox(lab);
    await buildVm(pve, "one", "192.168.1.12");
    await lab.settled();
    await buildVm(pve, "two", "192.168.1.12");
    await lab.settled();
    expect((await ssh(lab, "192.168.1.12", "hostname")).stdout).toBe("one\n");
    expect(lab.ctx.records.since().filter((r) => r.action === "no-network")).toMatchObject([
      { target: "two", detail: { reason: "another machine has the address 192.168.1.12" } },
    ]);
    await pve.close();
  });
});

test("refusals have the messages of the real Proxmox", async () => {
  await withLab(async (lab) => {
    const pve = proxmox(lab);
    expect(await pve.call("POST", "/nodes/node03/qemu", { vmid: "100", name: "bad_name", cores: "0", color: "blue" })).toMatchObject({
      status: 400,
      reason: "Parameter verification failed.",
      data: null,
      errors: {
        name: "invalid format - value does not look like a valid DNS name",
        cores: "value must have a minimum value of 1",
        color: "property is not defined in schema and the schema does not allow additional properties",
      },
    });
    expect(await pve.task("POST", "/nodes/node01/qemu", { vmid: "100", name: "dns", scsi0: "data2:30" })).toBe(
      "unable to create VM 100 - storage 'data2' is not available on node 'node01'",
    );
    expect((await pve.call("GET", "/nodes/node01/qemu")).data).toEqual([]);
    expect(
      await pve.task("POST", "/nodes/node03/storage/local/download-url", {
        content: "iso",
        filename: "x.iso",
        url: IMAGE,
        checksum: "0".repeat(64),
        "checksum-algorithm": "sha256",
      }),
    ).toMatch(/^checksum mismatch: got '[0-9a-f]{64}' != expect '0{64}'$/);
    const color = { system: "proxmox", target: "api", what: "POST /api2/json/nodes/node03/qemu: the parameter color is not modelled" };
    expect(lab.ctx.unhandled.all()).toMatchObject([color]);
    expect((await proxmox(lab, "PVEAPIToken=homelab@pve!pulumi=wrong").call("GET", "/version")).reason).toBe("invalid token value!");
    expect(await pve.call("GET", "/nodes/node01/lxc")).toMatchObject({ status: 501, reason: "Method 'GET /nodes/node01/lxc' not implemented" });
    expect(lab.ctx.unhandled.all()).toMatchObject([color, { system: "proxmox", target: "api", what: "GET /nodes/node01/lxc" }]);
    await pve.close();
  });
});

test("faults strike once, where they are told to", async () => {
  await withLab(async (lab) => {
    const pve = proxmox(lab);
    const queued = await request(`${lab.file.control}/faults`, {
      method: "POST",
      body: JSON.stringify({ name: "proxmox.clone-lock-timeout", target: "node03" }),
    });
    expect(queued.statusCode).toBe(200);
    await queued.body.dump();
    await expect(buildVm(pve, "k8s-dev", "192.168.1.12")).rejects.toThrow("can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout");
    await buildVm(pve, "k8s-dev", "192.168.1.12");
    const unknown = await request(`${lab.file.control}/faults`, { method: "POST", body: JSON.stringify({ name: "moon" }) });
    expect(unknown.statusCode).toBe(400);
    await unknown.body.dump();
    await pve.close();
  });
});

test("a VM that does not boot is not on the network until somebody resets it", async () => {
  await withLab(async (lab) => {
    const pve = proxmox(lab);
    lab.ctx.faults.queue({ name: "vm.no-boot", target: "k8s-dev" });
    await buildVm(pve, "k8s-dev", "192.168.1.12");
    await lab.settled();
    await expect(ssh(lab, "192.168.1.12", "true")).rejects.toThrow(/Connection refused|open failure/i);
    const reset = async (body: string): Promise<[number, string]> => {
      const { statusCode, body: answer } = await request(`${lab.file.control}/proxmox/reset`, { method: "POST", body });
      return [statusCode, await answer.text()];
    };
    expect(await reset('{"vm":"moon"}')).toEqual([404, '{"error":"no VM moon runs"}']);
    expect((await reset("[]"))[0]).toBe(400);
    expect(await reset('{"vm":"k8s-dev"}')).toEqual([200, "{}"]);
    await lab.settled();
    expect(await ssh(lab, "192.168.1.12", "hostname")).toMatchObject({ stdout: "k8s-dev\n" });
    expect(lab.ctx.records.since().filter(({ action }) => action === "vm-reset")).toMatchObject([{ system: "proxmox", target: "k8s-dev", kind: "write" }]);
    await pve.close();
  });
});

test("a connection to an unknown host is refused and noted; one to a host of the homelab that is down is only refused", async () => {
  await withLab(async (lab) => {
    const agent = new ProxyAgent({ uri: lab.file.proxy });
    await expect(request("https://192.168.1.77:6443/", { dispatcher: agent })).rejects.toThrow("502");
    expect(lab.ctx.unhandled.all()).toEqual([]);
    await expect(request("https://example.com/", { dispatcher: agent })).rejects.toThrow("502");
    expect(lab.ctx.unhandled.all()).toMatchObject([{ system: "gateway", target: "example.com:443", what: "CONNECT example.com:443" }]);
    await agent.close();
  });
});

test("a port in use and a lab that runs already are one clear error each", async () => {
  await withLab(async (lab) => {
    const taken = Number(new URL(lab.file.proxy).port);
    const other = fs.mkdtempSync(path.join(os.tmpdir(), "lab-test-"));
    await expect(startLab({ dir: other, site: LAB_SITE, ports: { ...PORTS, proxy: taken } })).rejects.toMatchObject({
      code: "E_LAB_PORT_IN_USE",
      message: `port ${taken} on 127.0.0.1 is in use (--proxy-port)`,
    });
    fs.rmSync(other, { recursive: true });
    // This process is the lab's: pretend that another live one is.
    fs.writeFileSync(path.join(dir, "lab.json"), JSON.stringify({ ...lab.file, pid: process.ppid }));
    await expect(start()).rejects.toMatchObject({ code: "E_LAB_RUNNING" });
  });
});

test("a lab file of a killed lab, half written, does not stand in the way", async () => {
  fs.writeFileSync(path.join(dir, "lab.json"), '{"version":1,"pid":');
  await withLab(async (lab) => {
    expect(lab.proxmox.state().vms).toEqual([]);
  });
  expect(fs.existsSync(path.join(dir, "lab.json"))).toBe(false);
});
