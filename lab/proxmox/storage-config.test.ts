import { FILE, IMAGE, ProxmoxLab } from "../../tests/support/proxmox-lab";

let lab: ProxmoxLab;
beforeEach(async () => {
  lab = await ProxmoxLab.start();
});
afterEach(async () => {
  await lab.stop();
  // What a call does not have is noted as well as refused.
  expect(lab.ctx.unhandled.all().filter(({ what }) => !/the parameter (color|path) is not modelled$/.test(what))).toEqual([]);
});

const fast = { storage: "fast", type: "dir", path: "/srv/fast", content: "iso,images", nodes: "node01,node03" };
const on = async (node: string): Promise<unknown[]> =>
  ((await lab.call("GET", `/nodes/${node}/storage`)).data as { storage: string }[]).map(({ storage }) => storage);

test("the cluster begins with what an installer leaves, and two pools of single nodes", async () => {
  const { data } = await lab.call("GET", "/storage");
  expect((data as object[]).map((entry) => ({ ...entry, digest: "" }))).toMatchObject([
    { storage: "local", type: "dir", path: "/var/lib/vz", content: "backup,import,iso,vztmpl" },
    { storage: "local-lvm", type: "lvmthin", vgname: "pve", thinpool: "data" },
    { storage: "slowdata", nodes: "node01" },
    { storage: "data2", nodes: "node03" },
    { storage: "homelab" },
  ]);
  expect(await on("node01")).toEqual(["local", "local-lvm", "slowdata", "homelab"]);
  expect(await on("node02")).toEqual(["local", "local-lvm", "homelab"]);
});

test("an entry is on the nodes that it names, with the content that it takes", async () => {
  expect((await lab.call("POST", "/storage", fast)).data).toEqual({ storage: "fast", type: "dir" });
  expect([(await on("node01")).includes("fast"), (await on("node02")).includes("fast")]).toEqual([true, false]);
  const download = { content: "import", filename: "x.qcow2", url: "http://images.example.org/noble.img" };
  expect(await lab.call("POST", "/nodes/node03/storage/fast/download-url", download)).toMatchObject({
    reason: "storage 'fast' is not configured for content-type 'import'",
  });
  expect(await lab.call("GET", "/nodes/node02/storage/fast/content")).toMatchObject({ reason: "storage 'fast' is not available on node 'node02'" });
  await lab.call("PUT", "/storage/fast", { content: "import", delete: "nodes" });
  expect(await lab.task("POST", "/nodes/node02/storage/fast/download-url", download)).toBe("OK");
  await lab.call("PUT", "/storage/fast", { disable: "1" });
  expect(await lab.call("GET", "/nodes/node02/storage/fast/content")).toMatchObject({ reason: "storage 'fast' is disabled" });
  expect(lab.writes()).toEqual(["storage-create", "storage-update", "download", "storage-update"]);
});

test("options that an entry leaves out have Proxmox's defaults; a storage whose place does not exist is inactive", async () => {
  await lab.call("POST", "/storage", { storage: "tank", type: "zfspool", pool: "tank", nodes: "node03" });
  expect((await lab.call("GET", "/storage/tank")).data).toMatchObject({ content: "images,rootdir", pool: "tank" });
  expect((await lab.call("GET", "/nodes/node03/storage/tank/status")).data).toMatchObject({ active: 0, enabled: 1, total: 0 });
});

test("removing an entry removes no data: another one for the place has it, whatever its name", async () => {
  await lab.plugin.make(FILE, IMAGE);
  expect(await lab.call("DELETE", "/storage/homelab")).toMatchObject({ status: 200, data: null });
  expect(await lab.call("GET", "/nodes/node03/storage/homelab/content")).toMatchObject({ reason: "storage 'homelab' does not exist" });
  const images = { type: "dir", content: "import" };
  await lab.call("POST", "/storage", { ...images, storage: "elsewhere", path: "/srv/other" });
  await lab.call("POST", "/storage", { ...images, storage: "again", path: "/var/lib/homelab" });
  const content = async (name: string) =>
    ((await lab.call("GET", `/nodes/node03/storage/${name}/content`)).data as { volid: string }[]).map(({ volid }) => volid);
  expect([await content("elsewhere"), await content("again")]).toEqual([[], ["again:import/noble.qcow2"]]);
});

test("a VM whose disk's storage is not there does not start", async () => {
  expect(await lab.task("POST", "/nodes/node03/qemu", { vmid: "100", name: "a", scsi0: "data2:8" })).toBe("OK");
  await lab.call("DELETE", "/storage/data2");
  expect(await lab.task("POST", "/nodes/node03/qemu/100/status/start")).toBe("storage 'data2' does not exist");
  expect(await lab.task("DELETE", "/nodes/node03/qemu/100")).toBe("OK");
  expect(lab.proxmox.state().left).toMatchObject([{ place: "lvmthin:data2/data2", volumes: [{ volid: "data2:vm-100-disk-0" }] }]);
});

test.each<[string, Record<string, string>, object]>([
  ["a name that is taken", { ...fast, storage: "local" }, { status: 500, reason: "create storage failed: storage ID 'local' already defined" }],
  ["a type's missing option", { storage: "fast", type: "dir" }, { status: 500, reason: "missing value for required option 'path'" }],
  ["an option of another type", { ...fast, vgname: "pve" }, { status: 500, reason: "unexpected property 'vgname'" }],
  [
    "an unknown and wrong parameters",
    { ...fast, color: "blue", path: "x", disable: "yes" },
    {
      status: 400,
      errors: {
        color: "property is not defined in schema and the schema does not allow additional properties",
        path: "invalid format - value does not look like a valid absolute path",
        disable: "type check ('boolean') failed - got 'yes'",
      },
    },
  ],
  [
    "a volume group that is not there",
    { storage: "x1", type: "lvm", vgname: "no" },
    { status: 500, reason: "create storage failed: no such volume group 'no'" },
  ],
  [
    "a pool that is not there",
    { storage: "x1", type: "zfspool", pool: "no" },
    { status: 500, reason: "create storage failed: could not activate storage 'x1', zfs error: cannot import 'no': no such pool available" },
  ],
])("%s is refused in Proxmox's words", async (_, form, answer) => {
  expect(await lab.call("POST", "/storage", form)).toMatchObject(answer);
  expect(lab.writes()).toEqual([]);
});

test("a place cannot change, and what is not there cannot be changed or removed", async () => {
  expect(await lab.call("PUT", "/storage/local", { path: "/x" })).toMatchObject({
    status: 400,
    errors: { path: expect.stringContaining("not defined in schema") },
  });
  expect(await lab.call("PUT", "/storage/local", { delete: "path" })).toMatchObject({
    reason: "update storage failed: unable to delete required option 'path'",
  });
  expect(await lab.call("PUT", "/storage/no", { content: "iso" })).toMatchObject({ reason: "update storage failed: storage 'no' does not exist" });
  expect(await lab.call("DELETE", "/storage/no")).toMatchObject({ reason: "delete storage failed: storage 'no' does not exist" });
});
