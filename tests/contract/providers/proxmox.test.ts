/** The proxmoxve provider against the lab's Proxmox: image, template, clone, update, refresh, delete. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { createContext, type OwnedContext } from "../../../lab/core/context";
import { PROXMOX } from "../../../lab/core/estate";
import { type GuestSpec, type Proxmox, startProxmox } from "../../../lab/proxmox";
import { provider } from "../../../providers/proxmoxve/provider";
import { Secret, type Values } from "../../../providers/sdk/values";
import { partialFailure, type State, TestProvider } from "../../support/test-provider";

const FILE = "proxmoxve:download/fileLegacy:FileLegacy";
const VM = "proxmoxve:index/vmLegacy:VmLegacy";
const TOKEN = { id: "homelab@pve!pulumi", secret: "11111111-2222-3333-4444-555555555555" };

const image: Values = {
  nodeName: "node03",
  datastoreId: "local",
  contentType: "import",
  url: "http://images.example.org/noble.img",
  fileName: "noble.qcow2",
  overwrite: false,
};

const template: Values = {
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

const vm: Values = {
  nodeName: "node03",
  vmId: 115,
  name: "k8s-dev",
  tags: ["homelab", "dev"],
  clone: { vmId: 9003, full: true, retries: 10 },
  cpu: { cores: 4, sockets: 1, type: "host" },
  memory: { dedicated: 8192 },
  scsiHardware: "virtio-scsi-single",
  disks: [
    { interface: "scsi0", datastoreId: "local-lvm", size: 40, fileFormat: "raw" },
    { interface: "scsi1", datastoreId: "data2", size: 100 },
    { interface: "scsi2", datastoreId: "", pathInDatastore: "/dev/disk/by-id/ata-DISK", backup: false },
  ],
  initialization: {
    datastoreId: "local-lvm",
    interface: "ide2",
    ipConfigs: [{ ipv4: { address: "192.168.1.15/24", gateway: "192.168.1.1" } }],
    userAccount: { username: "suporte", keys: ["ssh-ed25519 AAAAC3Nz operator@home"] },
    dns: { servers: ["192.168.1.2"] },
  },
  networkDevices: [{ bridge: "vmbr0", model: "virtio", firewall: false }],
  bootOrders: ["scsi0"],
  agent: { enabled: true },
  serialDevices: [{ device: "socket" }],
  operatingSystem: { type: "l26" },
  stopOnDestroy: true,
};

describe("proxmoxve", () => {
  let ctx: OwnedContext;
  let proxmox: Proxmox;
  let images: http.Server;
  let plugin: TestProvider;
  let guests: Map<string, GuestSpec>;

  beforeEach(async () => {
    ctx = await createContext();
    guests = new Map();
    images = http.createServer((_request, response) => response.end("an image"));
    await new Promise<void>((resolve) => images.listen(0, "127.0.0.1", resolve));
    ctx.network.listen("images.example.org", 80, { port: (images.address() as AddressInfo).port });
    proxmox = await startProxmox({
      ctx,
      token: TOKEN,
      guests: {
        powerOn: (spec) => void guests.set(spec.id, spec),
        powerOff: async (id) => void guests.delete(id),
        destroy: async (id) => void guests.delete(id),
        isUp: (id) => guests.has(id),
      },
    });
    const port = ctx.network.resolve(PROXMOX.address, PROXMOX.port)?.port;
    plugin = await TestProvider.start(provider, {
      endpoint: `https://127.0.0.1:${port}`,
      apiToken: new Secret(`${TOKEN.id}=${TOKEN.secret}`),
      insecure: "true",
    });
  });
  afterEach(async () => {
    await plugin.close();
    await proxmox.stop();
    images.close();
    expect(ctx.unhandled.all()).toEqual([]);
  });

  const writes = (since = 0): string[] =>
    ctx.records
      .since(since)
      .filter((record) => record.kind === "write")
      .map((record) => record.action);
  const mark = (): number => ctx.records.since().at(-1)?.seq ?? 0;
  const build = async (): Promise<State> => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    return plugin.make(VM, vm);
  };

  test("image, template and clone; the guest gets what the definition says", async () => {
    const state = await build();
    expect(writes()).toEqual(["download", "vm-create", "vm-resize", "vm-template", "clone", "vm-config", "vm-resize", "vm-start"]);
    expect(guests.get("115")).toMatchObject({
      hostname: "k8s-dev",
      address: "192.168.1.15",
      gateway: "192.168.1.1",
      user: "suporte",
      cores: 4,
      memoryMiB: 8192,
      diskGiB: 40,
    });
    expect(guests.get("115")?.authorizedKeys).toEqual(["ssh-ed25519 AAAAC3Nz operator@home"]);
    expect(state.id).toBe("115");
    expect(state.outputs["ipv4Addresses"]).toEqual(expect.arrayContaining([["192.168.1.15"]]));
  });

  test("a second run changes nothing, and neither does one after a refresh", async () => {
    const state = await build();
    const seq = mark();
    const { inputs } = await plugin.check(VM, vm, state.inputs);
    expect((await plugin.diff(VM, state, inputs)).detailed).toEqual({});
    const refreshed = await plugin.read(VM, state);
    expect(refreshed).toEqual(state);
    await plugin.update(VM, state, inputs);
    expect(writes(seq)).toEqual([]);
  });

  test("more memory and disk: configured, grown, restarted", async () => {
    const state = await build();
    const seq = mark();
    const [first, ...others] = vm["disks"] as Values[];
    const { inputs } = await plugin.check(VM, { ...vm, memory: { dedicated: 16384 }, disks: [{ ...first, size: 60 }, ...others] }, state.inputs);
    const updated = await plugin.update(VM, state, inputs);
    expect(writes(seq)).toEqual(["vm-config", "vm-resize", "vm-stop", "vm-start"]);
    expect(guests.get("115")).toMatchObject({ memoryMiB: 16384, diskGiB: 60 });
    expect((await plugin.diff(VM, updated, inputs)).changes).toBe("none");
  });

  test("destroy leaves no VM, no template and no image", async () => {
    const file = await plugin.make(FILE, image);
    const base = await plugin.make(VM, template);
    const state = await plugin.make(VM, vm);
    await plugin.delete(VM, state);
    await plugin.delete(VM, base);
    await plugin.delete(FILE, file);
    expect(proxmox.state()).toMatchObject({ vms: [], volumes: [] });
    expect(guests.size).toBe(0);
    expect(await plugin.read(VM, state)).toBeUndefined();
  });

  test("a lock on the template is waited out", async () => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    ctx.faults.queue({ name: "proxmox.clone-lock-timeout" });
    expect((await plugin.make(VM, vm)).id).toBe("115");
  });

  test("a datastore that the node does not have leaves nothing behind that the state does not know", async () => {
    await plugin.make(FILE, image);
    await plugin.make(VM, template);
    const thrown = await plugin
      .make(VM, {
        ...vm,
        disks: [
          { interface: "scsi0", size: 40 },
          { interface: "scsi1", datastoreId: "slowdata", size: 10 },
        ],
      })
      .catch((error: unknown) => error);
    expect(partialFailure(thrown)).toMatchObject({ id: "115", reasons: [expect.stringMatching(/slowdata.*is not available on node 'node03'/)] });
    expect(String(thrown)).not.toContain(TOKEN.secret);
  });
});
