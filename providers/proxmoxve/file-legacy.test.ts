import { FAKE_TOKEN, type FakePve, startFakePve } from "../../tests/support/fake-pve";
import { TestProvider } from "../../tests/support/test-provider";
import { UNKNOWN } from "../sdk/values";
import { provider } from "./provider";

const FILE = "proxmoxve:download/fileLegacy:FileLegacy";
const image = {
  nodeName: "node01",
  datastoreId: "local",
  contentType: "import",
  url: "https://cloud-images.ubuntu.com/noble/20260101/noble.img",
  fileName: "noble.qcow2",
  checksum: "abc",
  checksumAlgorithm: "sha256",
  overwrite: false,
};

describe("proxmoxve:download/fileLegacy:FileLegacy", () => {
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

  test("is downloaded by the node; the id is its volume", async () => {
    const state = await plugin.make(FILE, image);
    expect(state.id).toBe("local:import/noble.qcow2");
    expect(pve.calls[0]).toBe(
      "POST nodes/node01/storage/local/download-url?content=import&filename=noble.qcow2&url=https%3A%2F%2Fcloud-images.ubuntu.com%2Fnoble%2F20260101%2Fnoble.img&checksum=abc&checksum-algorithm=sha256&verify-certificates=1",
    );
    expect(state.outputs).toEqual({ ...image, id: state.id, overwriteUnmanaged: false, uploadTimeout: 600, verify: true, size: 1234 });
    const { inputs } = await plugin.check(FILE, image, state.inputs);
    expect((await plugin.diff(FILE, state, inputs)).changes).toBe("none");
    expect((await plugin.read(FILE, state))?.outputs).toEqual(state.outputs);
  });

  test("a file of that name that is not ours is refused, or replaced where that was asked for", async () => {
    pve.files.set("local:import/noble.qcow2", 1);
    await expect(plugin.make(FILE, image)).rejects.toMatchObject({
      details: expect.stringMatching(/^local:import\/noble\.qcow2 is on node01 already, and was not made by this stack/),
    });
    expect((await plugin.make(FILE, { ...image, overwriteUnmanaged: true })).outputs["size"]).toBe(1234);
  });

  test("another URL or checksum replaces it; how it is verified does not", async () => {
    const state = await plugin.make(FILE, image);
    const diff = async (more: Record<string, string | boolean>) =>
      plugin.diff(FILE, state, (await plugin.check(FILE, { ...image, ...more }, state.inputs)).inputs);
    expect((await diff({ checksum: "def" })).replaces).toEqual(["checksum"]);
    expect(await diff({ verify: false })).toMatchObject({ replaces: [], diffs: ["verify"] });
  });

  test("delete removes it, once or twice; read then finds nothing", async () => {
    const state = await plugin.make(FILE, image);
    await plugin.delete(FILE, state);
    await plugin.delete(FILE, state);
    expect(pve.files.size).toBe(0);
    expect(await plugin.read(FILE, state)).toBeUndefined();
  });

  test("a failed download leaves nothing in the state", async () => {
    pve.failNext(/download-url/, { status: 400, message: "checksum mismatch" });
    await expect(plugin.make(FILE, image)).rejects.toMatchObject({ details: "Proxmox: POST nodes/node01/storage/local/download-url: 400: checksum mismatch" });
  });

  test("the preview knows no size", async () => {
    const { inputs } = await plugin.check(FILE, image);
    expect((await plugin.create(FILE, inputs, { preview: true })).outputs).toMatchObject({ size: UNKNOWN, fileName: "noble.qcow2" });
  });
});
