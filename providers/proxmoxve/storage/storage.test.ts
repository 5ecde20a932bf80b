import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { TestProvider } from "../../../tests/support/test-provider";
import { UNKNOWN, type Values } from "../../sdk/values";
import { provider } from "../provider";

const DIRECTORY = "proxmoxve:storage/directory:Directory";
const files: Values = { resourceId: "homelab", path: "/var/lib/homelab", contents: ["iso", "import"], nodes: ["node02", "node01"], shared: false };

let pve: FakePve;
let plugin: TestProvider;
beforeEach(async () => {
  pve = await startFakePve();
  plugin = await TestProvider.start(provider, { endpoint: pve.endpoint, apiToken: FAKE_TOKEN, insecure: "true" });
});
afterEach(async () => {
  await plugin.close();
  await pve.close();
});
const writes = (): string[] => pve.calls.filter((call) => !call.startsWith("GET"));

interface Case {
  token: string;
  inputs: Values;
  created: string;
  outputs: Values;
  replacing: Values;
}

const CASES: Case[] = [
  {
    token: DIRECTORY,
    inputs: files,
    created:
      "POST storage?storage=homelab&type=dir&path=%2Fvar%2Flib%2Fhomelab&content=import%2Ciso&nodes=node01%2Cnode02&disable=0&shared=0&create-base-path=1&create-subdirs=1",
    outputs: { createBasePath: true, createSubdirs: true },
    replacing: { path: "/srv/homelab" },
  },
  {
    token: "proxmoxve:storage/lvm:Lvm",
    inputs: { resourceId: "disks", volumeGroup: "vg0", contents: ["images"], nodes: ["node01"] },
    created: "POST storage?storage=disks&type=lvm&vgname=vg0&content=images&nodes=node01&disable=0&saferemove=0&shared=0",
    outputs: { wipeRemovedVolumes: false, shared: false },
    replacing: { volumeGroup: "vg1" },
  },
  {
    token: "proxmoxve:storage/lvmthin:Lvmthin",
    inputs: { resourceId: "thin", volumeGroup: "pve", thinPool: "data", contents: ["images", "rootdir"], nodes: ["node01"] },
    created: "POST storage?storage=thin&type=lvmthin&vgname=pve&thinpool=data&content=images%2Crootdir&nodes=node01&disable=0",
    outputs: { shared: false },
    replacing: { thinPool: "fast" },
  },
  {
    token: "proxmoxve:storage/zfspool:Zfspool",
    inputs: { resourceId: "tank", zfsPool: "tank/vms", thinProvision: true, blocksize: "16k", nodes: ["node03"] },
    created: "POST storage?storage=tank&type=zfspool&pool=tank%2Fvms&nodes=node03&disable=0&sparse=1&blocksize=16k",
    outputs: { contents: ["images", "rootdir"], shared: false },
    replacing: { zfsPool: "tank/other" },
  },
];

describe.each(CASES.map((c): [string, Case] => [c.token, c]))("%s", (token, { inputs, created, outputs, replacing }) => {
  test("is an entry under its name; the same inputs change nothing", async () => {
    const state = await plugin.make(token, inputs);
    expect(state.id).toBe(inputs["resourceId"]);
    expect(writes()).toEqual([created]);
    expect(state.outputs).toMatchObject({ disable: false, ...outputs });
    const { inputs: again } = await plugin.check(token, inputs, state.inputs);
    expect((await plugin.diff(token, state, again)).detailed).toEqual({});
    const refreshed = await plugin.read(token, state);
    expect([refreshed?.outputs, refreshed?.inputs]).toEqual([state.outputs, state.inputs]);
  });

  test("another name or place replaces it, deleting first where the name stays", async () => {
    const state = await plugin.make(token, inputs);
    const diff = async (more: Values) => plugin.diff(token, state, (await plugin.check(token, { ...inputs, ...more }, state.inputs)).inputs);
    expect(await diff(replacing)).toMatchObject({ replaces: Object.keys(replacing), deleteBeforeReplace: true });
    expect(await diff({ resourceId: "other" })).toMatchObject({ replaces: ["resourceId"], deleteBeforeReplace: false });
    expect(await diff({ disable: true, nodes: ["node03", "node01"] })).toMatchObject({ replaces: [] });
  });

  test("is deleted once or twice, and is gone then", async () => {
    const state = await plugin.make(token, inputs);
    await plugin.delete(token, state);
    await plugin.delete(token, state);
    expect(await plugin.read(token, state)).toBeUndefined();
  });

  test("is imported by its name, with what was given", async () => {
    const made = await plugin.make(token, inputs);
    const read = await plugin.read(token, { id: made.id, inputs: {}, outputs: {} });
    const { inputs: again, failures } = await plugin.check(token, inputs, read?.inputs);
    expect(failures).toEqual([]);
    expect((await plugin.diff(token, { id: made.id, inputs: read?.inputs ?? {}, outputs: read?.outputs ?? {} }, again)).detailed).toEqual({});
  });
});

test("an update sends what can change, and names what is gone", async () => {
  const more = { ...files, preallocation: "off", backups: { keepLast: 3, keepDaily: 7, maxProtectedBackups: 5 } };
  const state = await plugin.make(DIRECTORY, more);
  expect(writes()[0]).toContain(
    "preallocation=off&shared=0&create-base-path=1&create-subdirs=1&prune-backups=keep-last%3D3%2Ckeep-daily%3D7&max-protected-backups=5",
  );
  expect(state.outputs["backups"]).toEqual({ keepAll: false, keepLast: 3, keepDaily: 7, maxProtectedBackups: 5 });
  pve.calls.length = 0;
  const { inputs } = await plugin.check(DIRECTORY, { ...files, contents: ["iso"], nodes: [] }, state.inputs);
  const updated = await plugin.update(DIRECTORY, state, inputs);
  expect(writes()).toEqual([
    "PUT storage/homelab?content=iso&disable=0&shared=0&create-base-path=1&create-subdirs=1&delete=preallocation%2Cprune-backups%2Cmax-protected-backups%2Cnodes",
  ]);
  expect([updated.outputs["contents"], updated.outputs["nodes"], updated.outputs["backups"]]).toEqual([["iso"], [], undefined]);
});

test("one content type or node less is a change, in another order is none", async () => {
  const state = await plugin.make(DIRECTORY, files);
  const diff = async (more: Values) => plugin.diff(DIRECTORY, state, (await plugin.check(DIRECTORY, { ...files, ...more }, state.inputs)).inputs);
  expect((await diff({ contents: ["iso"] })).diffs).toEqual(["contents"]);
  expect((await diff({ nodes: ["node02"] })).diffs).toEqual(["nodes"]);
  expect((await diff({ contents: ["import", "iso"], nodes: ["node01", "node02"] })).changes).toBe("none");
});

test("content types and nodes that are not given are those that Proxmox has", async () => {
  const state = await plugin.make(DIRECTORY, { resourceId: "plain", path: "/srv/plain" });
  expect(state.outputs).toMatchObject({ contents: ["images", "rootdir"], nodes: [], shared: true });
  const { inputs } = await plugin.check(DIRECTORY, { resourceId: "plain", path: "/srv/plain" }, state.inputs);
  expect((await plugin.diff(DIRECTORY, state, inputs)).changes).toBe("none");
});

test("what was changed by hand is a difference after a refresh", async () => {
  const state = await plugin.make(DIRECTORY, files);
  pve.storages.entries.set("homelab", { ...pve.storages.entries.get("homelab"), content: "iso", disable: "1", preallocation: "full" });
  const refreshed = await plugin.read(DIRECTORY, state);
  const { inputs } = await plugin.check(DIRECTORY, files, refreshed?.inputs);
  expect((await plugin.diff(DIRECTORY, { ...state, ...refreshed }, inputs)).diffs.toSorted()).toEqual(["contents", "disable", "preallocation"]);
});

test("one that is there already is refused, and says how it is taken over; one of another type is not read", async () => {
  pve.storages.entries.set("homelab", { type: "nfs", content: "iso" });
  await expect(plugin.make(DIRECTORY, files)).rejects.toMatchObject({
    details: expect.stringMatching(
      /^there is a storage homelab already, and it was not made by this stack[\s\S]*next: import it \(its id is its name\), or choose another name/,
    ),
  });
  await expect(plugin.read(DIRECTORY, { id: "homelab", inputs: {}, outputs: {} })).rejects.toMatchObject({
    details: "the storage homelab is of the type nfs, not dir",
  });
});

test("a lock of the cluster's file is waited out", async () => {
  pve.failNext(/^POST storage/, { status: 500, message: "create storage failed: cfs-lock 'file-storage_cfg' error: got lock request timeout" });
  expect((await plugin.make(DIRECTORY, files)).id).toBe("homelab");
});

test("the preview calls nothing, and wrong inputs are told with their property", async () => {
  const { inputs } = await plugin.check(DIRECTORY, { resourceId: "x1", path: "/x" });
  expect((await plugin.create(DIRECTORY, inputs, { preview: true })).outputs).toMatchObject({ contents: UNKNOWN, nodes: UNKNOWN, shared: true });
  const wrong = { resourceId: "1", path: "var", contents: ["isos"], preallocation: "some", backups: { keepLast: -1 }, server: "x" };
  expect((await plugin.check(DIRECTORY, wrong)).failures.toSorted()).toEqual([
    "backups.keepLast: must be a whole number, 0 at least",
    "contents[0]: must be one of backup, images, import, iso, rootdir, snippets, vztmpl",
    "path: must be an absolute path, such as /var/lib/homelab",
    "preallocation: must be one of off, metadata, falloc, full",
    "resourceId: must be two or more letters, digits, -, _ or ., and begin with a letter",
    "server: the embedded provider does not support this property; the official plugin may",
  ]);
  expect((await plugin.check(DIRECTORY, { ...files, backups: { keepAll: true, keepLast: 1 } })).failures).toEqual([
    "backups.keepLast: cannot stand beside keepAll: true; leave one of them out",
  ]);
  expect(pve.calls).toEqual([]);
});
