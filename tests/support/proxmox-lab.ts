/** The proxmoxve provider with the lab's Proxmox, a server of images, and guests that boot at once. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, request } from "undici";
import { type ContextOptions, createContext, type OwnedContext } from "../../lab/core/context";
import { type GuestSpec, type Proxmox, startProxmox } from "../../lab/proxmox";
import { provider } from "../../providers/proxmoxve/provider";
import { Secret, type Values } from "../../providers/sdk/values";
import { LAB_SITE } from "./lab-site";
import { TestProvider } from "./test-provider";

const { address: ADDRESS, port: PORT } = LAB_SITE.proxmox;
export const FILE = "proxmoxve:download/fileLegacy:FileLegacy";
export const VM = "proxmoxve:index/vmLegacy:VmLegacy";
export const DIRECTORY = "proxmoxve:storage/directory:Directory";
export const LAB_TOKEN = { id: "homelab@pve!pulumi", secret: "11111111-2222-3333-4444-555555555555" };

/** A storage for images, since `local` does not accept them. */
export const FILES: Values = { resourceId: "homelab", path: "/var/lib/homelab", contents: ["import", "iso"], shared: false };

export const IMAGE: Values = {
  nodeName: "node03",
  datastoreId: "homelab",
  contentType: "import",
  url: "http://images.example.org/noble.img",
  fileName: "noble.qcow2",
  overwrite: false,
};

export const TEMPLATE: Values = {
  nodeName: "node03",
  vmId: 9003,
  name: "ubuntu-2404",
  tags: ["homelab", "template"],
  template: true,
  started: false,
  onBoot: false,
  cpu: { cores: 1, sockets: 1, type: "host" },
  memory: { dedicated: 1024 },
  scsiHardware: "virtio-scsi-single",
  disks: [{ interface: "scsi0", datastoreId: "local-lvm", importFrom: "homelab:import/noble.qcow2", size: 8, fileFormat: "raw" }],
  networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false }],
  bootOrders: ["scsi0"],
  agent: { enabled: true },
  serialDevices: [{ device: "socket" }],
  operatingSystem: { type: "l26" },
};

export interface ApiAnswer {
  status: number;
  /** The text of the status line, in which Proxmox gives its error message. */
  reason: string;
  data: unknown;
  errors?: unknown;
  changes?: string;
}

export class ProxmoxLab {
  readonly #agent = new Agent({ connect: { rejectUnauthorized: false } });

  private constructor(
    readonly ctx: OwnedContext,
    readonly proxmox: Proxmox,
    readonly guests: Map<string, GuestSpec>,
    readonly plugin: TestProvider,
    private readonly images: http.Server,
    /** Sequence number of the last record before the test's own. */
    private readonly begin: number,
  ) {}

  static async start(options: ContextOptions = {}): Promise<ProxmoxLab> {
    const ctx = await createContext(options);
    const guests = new Map<string, GuestSpec>();
    const images = http.createServer((_request, response) => response.end("an image"));
    await new Promise<void>((resolve) => images.listen(0, "127.0.0.1", resolve));
    ctx.network.listen("images.example.org", 80, { port: (images.address() as AddressInfo).port });
    const proxmox = await startProxmox({
      ctx,
      site: LAB_SITE,
      token: LAB_TOKEN,
      guests: {
        powerOn: (spec) => void guests.set(spec.id, spec),
        powerOff: async (id) => void guests.delete(id),
        destroy: async (id) => void guests.delete(id),
        isUp: (id) => guests.has(id),
      },
    });
    const plugin = await ProxmoxLab.#plugin(ctx);
    await plugin.make(DIRECTORY, FILES);
    return new ProxmoxLab(ctx, proxmox, guests, plugin, images, ctx.records.since().at(-1)?.seq ?? 0);
  }

  static #plugin(ctx: OwnedContext): Promise<TestProvider> {
    const port = ctx.network.resolve(ADDRESS, PORT)?.port;
    return TestProvider.start(provider, {
      endpoint: `https://127.0.0.1:${port}`,
      apiToken: new Secret(`${LAB_TOKEN.id}=${LAB_TOKEN.secret}`),
      insecure: "true",
    });
  }

  /** The address on this machine at which its API listens. */
  get url(): string {
    return `https://127.0.0.1:${this.ctx.network.resolve(ADDRESS, PORT)?.port}`;
  }

  /** A call of the API by another client. */
  async call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, form: Record<string, string> = {}): Promise<ApiAnswer> {
    const port = this.ctx.network.resolve(ADDRESS, PORT)?.port;
    const query = method === "GET" ? `?${new URLSearchParams(form)}` : "";
    const { statusCode, statusText, body } = await request(`https://127.0.0.1:${port}/api2/json${path}${query}`, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `PVEAPIToken=${LAB_TOKEN.id}=${LAB_TOKEN.secret}`, "content-type": "application/x-www-form-urlencoded" },
      ...(method === "GET" ? {} : { body: new URLSearchParams(form).toString() }),
    });
    const { data, errors, changes } = (await body.json()) as Partial<ApiAnswer>;
    return { status: statusCode, reason: statusText, data, ...(errors === undefined ? {} : { errors }), ...(changes === undefined ? {} : { changes }) };
  }

  /** A call that starts a task. Waits for its end. @returns the task's exit status */
  async task(method: "POST" | "PUT" | "DELETE", path: string, form: Record<string, string> = {}): Promise<string> {
    const { data, reason } = await this.call(method, path, form);
    if (typeof data !== "string") throw new Error(reason);
    for (;;) {
      const task = this.proxmox.state().tasks.find(({ upid }) => upid === data);
      if (task?.exitstatus !== undefined) return task.exitstatus;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Starts another process of the provider, as a parallel stack operation has. The caller closes it. */
  anotherPlugin(): Promise<TestProvider> {
    return ProxmoxLab.#plugin(this.ctx);
  }

  async stop(): Promise<void> {
    await this.plugin.close();
    await this.#agent.close();
    await this.proxmox.stop();
    this.images.close();
  }

  /** The changes since a mark (default: since the start), in order. */
  writes(since = this.begin): string[] {
    return this.ctx.records
      .since(since)
      .filter((record) => record.kind === "write")
      .map((record) => record.action);
  }

  mark(): number {
    return this.ctx.records.since().at(-1)?.seq ?? 0;
  }

  /** Creates the image on node03 and the template 9003. */
  async template(): Promise<void> {
    await this.plugin.make(FILE, IMAGE);
    await this.plugin.make(VM, TEMPLATE);
  }
}
