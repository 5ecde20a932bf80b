import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Client, type ClientChannel } from "ssh2";
import { ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { compileRole, secretInput } from "../ansible-replacements/compile";
import { combineRoles } from "../ansible-replacements/role";
import { base } from "../ansible-replacements/roles/base";
import { k3sServer } from "../ansible-replacements/roles/k3s-server";
import { kubeadmNode } from "../ansible-replacements/roles/kubeadm-node";
import { LAB_SITE } from "../tests/support/lab-site";
import { KUBEADM_SECRETS, kubeadmFirst } from "../tests/support/role-cases";
import { createLatency } from "./core/latency";
import { newSshKey } from "./core/ssh-keys";
import { type Lab, startLab } from "./lab";

const PORTS = { proxy: 0, bastion: 0, control: 0 };
const TOKEN = "PVEAPIToken=homelab@pve!pulumi=405c4f47-82f0-475e-82db-b1af6cf99416";
const IMAGE = "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img";
const operator = newSshKey();

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

/** The Proxmox API as a client outside the lab calls it: production address, lab's proxy and CA. */
function proxmox(lab: Lab, authorization = TOKEN) {
  const agent = new ProxyAgent({ uri: lab.file.proxy, requestTls: { ca: fs.readFileSync(lab.file.caFile, "utf8") } });
  const call = async (
    method: string,
    route: string,
    form: Record<string, string> = {},
  ): Promise<{ status: number; reason: string; data: unknown; errors?: unknown }> => {
    const encoded = new URLSearchParams(form).toString();
    const inQuery = method === "GET" || method === "DELETE";
    const { statusCode, statusText, body } = await request(`https://192.168.1.248:8006/api2/json${route}${inQuery && encoded ? `?${encoded}` : ""}`, {
      method: method as "GET",
      dispatcher: agent,
      headers: { authorization, ...(inQuery ? {} : { "content-type": "application/x-www-form-urlencoded" }) },
      ...(inQuery ? {} : { body: encoded }),
    });
    return { status: statusCode, reason: statusText, ...((await body.json()) as { data: unknown }) };
  };
  /** Starts a task and waits for its end. @returns its exit status */
  const task = async (method: string, route: string, form: Record<string, string> = {}): Promise<string> => {
    const { data, reason } = await call(method, route, form);
    if (typeof data !== "string") throw new Error(`${method} ${route}: ${reason}`);
    const node = data.split(":")[1];
    for (let i = 0; i < 500; i++) {
      const status = (await call("GET", `/nodes/${node}/tasks/${encodeURIComponent(data)}/status`)).data as { status: string; exitstatus?: string };
      if (status.status === "stopped") return status.exitstatus ?? "";
    }
    throw new Error(`${data} does not end`);
  };
  return { call, task, close: () => agent.close() };
}

interface Run {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** Runs a command on a host through the bastion, with real clients. */
async function ssh(lab: Lab, host: string, command: string, options: { key?: string; stdin?: string } = {}): Promise<Run> {
  const { bastion } = lab.file;
  const jump = await connect({ host: bastion.host, port: bastion.port, username: bastion.user, privateKey: fs.readFileSync(bastion.keyFile) });
  try {
    const channel = await new Promise<ClientChannel>((resolve, reject) =>
      jump.forwardOut("127.0.0.1", 0, host, 22, (error, found) => (error ? reject(error) : resolve(found))),
    );
    const client = await connect({ sock: channel, username: "suporte", privateKey: options.key ?? operator.private });
    try {
      return await exec(client, command, options.stdin);
    } finally {
      client.end();
    }
  } finally {
    jump.end();
  }
}

function connect(options: Parameters<Client["connect"]>[0]): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once("ready", () => resolve(client));
    client.once("error", reject);
    client.connect(options);
    client.setNoDelay(true);
  });
}

function exec(client: Client, command: string, stdin = ""): Promise<Run> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const run: Run = { stdout: "", stderr: "", exitCode: -1 };
      channel.on("data", (chunk: Buffer) => {
        run.stdout += chunk.toString();
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        run.stderr += chunk.toString();
      });
      channel.on("exit", (code: number) => {
        run.exitCode = code;
      });
      channel.on("close", () => resolve(run));
      channel.end(stdin);
    });
  });
}

const vmForm = (name: string, address: string): Record<string, string> => ({
  name,
  cores: "4",
  memory: "4096",
  agent: "1",
  net0: "virtio,bridge=vmbr0",
  ide1: "local-lvm:cloudinit",
  ciuser: "suporte",
  sshkeys: encodeURIComponent(`${operator.public}\n`),
  ipconfig0: `ip=${address}/24,gw=192.168.1.1`,
  nameserver: "192.168.1.3",
});

async function buildVm(pve: ReturnType<typeof proxmox>, name: string, address: string): Promise<void> {
  const { data: listed } = await pve.call("GET", "/nodes/node03/storage/local/content", { content: "import" });
  if ((listed as unknown[]).length === 0) {
    expect(
      await pve.task("POST", "/nodes/node03/storage/local/download-url", {
        node: "node03",
        storage: "local",
        content: "import",
        filename: "noble.qcow2",
        url: IMAGE,
      }),
    ).toBe("OK");
    expect(
      await pve.task("POST", "/nodes/node03/qemu", {
        vmid: "9000",
        name: "ubuntu24-template",
        scsi0: "local-lvm:0,import-from=local:import/noble.qcow2",
        boot: "order=scsi0",
      }),
    ).toBe("OK");
    expect(await pve.task("POST", "/nodes/node03/qemu/9000/template")).toBe("OK");
  }
  const { data: vmid } = await pve.call("GET", "/cluster/nextid");
  expect(await pve.task("POST", "/nodes/node03/qemu/9000/clone", { newid: String(vmid), name, full: "1" })).toBe("OK");
  expect(await pve.call("PUT", `/nodes/node03/qemu/${vmid}/config`, vmForm(name, address))).toEqual({ status: 200, reason: "OK", data: null });
  expect(await pve.task("PUT", `/nodes/node03/qemu/${vmid}/resize`, { disk: "scsi0", size: "30G" })).toBe("OK");
  expect(await pve.task("POST", `/nodes/node03/qemu/${vmid}/status/start`)).toBe("OK");
}

const roleAt = (lab: Lab, address: string, role: Parameters<typeof compileRole>[0]): Promise<Run> => ssh(lab, address, compileRole(role).command);

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
    // What is settled has no task that still runs, however long it takes.
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

test("what Proxmox refuses it refuses in Proxmox's words", async () => {
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

test("an unknown place is refused and noted; one of the homelab's own that is down is only refused", async () => {
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
