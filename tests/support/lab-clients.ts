/** Clients outside the lab: of Proxmox's API through the proxy, and of hosts over SSH through the bastion. */
import * as fs from "node:fs";
import { Client, type ClientChannel } from "ssh2";
import { ProxyAgent, request } from "undici";
import { compileRole } from "../../ansible-replacements/compile";
import { newSshKey } from "../../lab/core/ssh-keys";
import type { Lab } from "../../lab/lab";

const TOKEN = "PVEAPIToken=homelab@pve!pulumi=405c4f47-82f0-475e-82db-b1af6cf99416";
export const IMAGE = "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img";
const operator = newSshKey();

/** A client of the Proxmox API outside the lab: with the production address, the lab's proxy and its CA. */
export function proxmox(lab: Lab, authorization = TOKEN) {
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
export async function ssh(lab: Lab, host: string, command: string, options: { key?: string; stdin?: string } = {}): Promise<Run> {
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

/** Builds and starts a VM on node03 from a template, which is built first if there is none. */
export async function buildVm(pve: ReturnType<typeof proxmox>, name: string, address: string): Promise<void> {
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

/** Runs a role on a host, as `up` does. */
export const roleAt = (lab: Lab, address: string, role: Parameters<typeof compileRole>[0]): Promise<Run> => ssh(lab, address, compileRole(role).command);
