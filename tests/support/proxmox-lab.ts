/** The proxmoxve provider against the lab's Proxmox, with a source of images and guests that are up at once. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { type ContextOptions, createContext, type OwnedContext } from "../../lab/core/context";
import { PROXMOX } from "../../lab/core/estate";
import { type GuestSpec, type Proxmox, startProxmox } from "../../lab/proxmox";
import { provider } from "../../providers/proxmoxve/provider";
import { Secret, type Values } from "../../providers/sdk/values";
import { TestProvider } from "./test-provider";

export const FILE = "proxmoxve:download/fileLegacy:FileLegacy";
export const VM = "proxmoxve:index/vmLegacy:VmLegacy";
export const LAB_TOKEN = { id: "homelab@pve!pulumi", secret: "11111111-2222-3333-4444-555555555555" };

export const IMAGE: Values = {
  nodeName: "node03",
  datastoreId: "local",
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
  disks: [{ interface: "scsi0", datastoreId: "local-lvm", importFrom: "local:import/noble.qcow2", size: 8, fileFormat: "raw" }],
  networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false }],
  bootOrders: ["scsi0"],
  agent: { enabled: true },
  serialDevices: [{ device: "socket" }],
  operatingSystem: { type: "l26" },
};

export class ProxmoxLab {
  private constructor(
    readonly ctx: OwnedContext,
    readonly proxmox: Proxmox,
    readonly guests: Map<string, GuestSpec>,
    readonly plugin: TestProvider,
    private readonly images: http.Server,
  ) {}

  static async start(options: ContextOptions = {}): Promise<ProxmoxLab> {
    const ctx = await createContext(options);
    const guests = new Map<string, GuestSpec>();
    const images = http.createServer((_request, response) => response.end("an image"));
    await new Promise<void>((resolve) => images.listen(0, "127.0.0.1", resolve));
    ctx.network.listen("images.example.org", 80, { port: (images.address() as AddressInfo).port });
    const proxmox = await startProxmox({
      ctx,
      token: LAB_TOKEN,
      guests: {
        powerOn: (spec) => void guests.set(spec.id, spec),
        powerOff: async (id) => void guests.delete(id),
        destroy: async (id) => void guests.delete(id),
        isUp: (id) => guests.has(id),
      },
    });
    return new ProxmoxLab(ctx, proxmox, guests, await ProxmoxLab.#plugin(ctx), images);
  }

  static #plugin(ctx: OwnedContext): Promise<TestProvider> {
    const port = ctx.network.resolve(PROXMOX.address, PROXMOX.port)?.port;
    return TestProvider.start(provider, {
      endpoint: `https://127.0.0.1:${port}`,
      apiToken: new Secret(`${LAB_TOKEN.id}=${LAB_TOKEN.secret}`),
      insecure: "true",
    });
  }

  /** Another process of the provider, as a parallel stack operation has; the caller closes it. */
  anotherPlugin(): Promise<TestProvider> {
    return ProxmoxLab.#plugin(this.ctx);
  }

  async stop(): Promise<void> {
    await this.plugin.close();
    await this.proxmox.stop();
    this.images.close();
  }

  /** What was changed since a mark, in order. */
  writes(since = 0): string[] {
    return this.ctx.records
      .since(since)
      .filter((record) => record.kind === "write")
      .map((record) => record.action);
  }

  mark(): number {
    return this.ctx.records.since().at(-1)?.seq ?? 0;
  }

  /** The image on node03 and the template 9003. */
  async template(): Promise<void> {
    await this.plugin.make(FILE, IMAGE);
    await this.plugin.make(VM, TEMPLATE);
  }
}
