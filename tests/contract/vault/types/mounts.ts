/** Mounts and audit devices by the vault provider: what each type makes, what it reads back, and what it refuses. */
import { AUDIT, expectStable, MOUNT } from "../under-test";
import { KV, type TypeBench } from "./bench";

// A name that nothing else in a given Vault has.
const DEVICE = `audit-of-${process.pid}`;

export function mounts(bench: TypeBench): void {
  test("a mount", async () => {
    const state = await bench.kv();
    expect(state.id).toBe(KV);
    expect(state.outputs).toMatchObject({ path: KV, type: "kv", options: { version: "2" }, description: "entries", accessor: expect.stringMatching(/^kv_/) });
    await expectStable(bench.plugin, MOUNT, state, { path: KV, type: "kv", options: { version: "2" }, description: "entries" });
    expect(await bench.plugin.diff(MOUNT, state, { path: KV, type: "pki", description: "entries", options: { version: "2" } })).toMatchObject({
      replaces: ["type"],
    });
    const { inputs } = await bench.plugin.check(MOUNT, { path: KV, type: "kv", options: { version: "2" }, description: "others" }, state.inputs);
    expect((await bench.plugin.update(MOUNT, state, inputs)).outputs["description"]).toBe("others");
    await bench.plugin.delete(MOUNT, state);
    await bench.plugin.delete(MOUNT, state);
    expect(await bench.plugin.read(MOUNT, state)).toBeUndefined();
  });

  test("a mount moves with its entries, and its settings change on the way", async () => {
    const state = await bench.kv();
    await bench.call("PUT", `${KV}/data/a`, { data: { x: 1 } });
    const news = { path: `${KV}-moved`, type: "kv", options: { version: "2" }, maxLeaseTtlSeconds: 7200, listingVisibility: "unauth" };
    const { inputs } = await bench.plugin.check(MOUNT, news, state.inputs);
    expect(await bench.plugin.diff(MOUNT, state, inputs)).toMatchObject({ replaces: [] });
    const { outputs } = await bench.plugin.update(MOUNT, state, inputs);
    expect(outputs).toMatchObject({ path: news.path, description: "", maxLeaseTtlSeconds: 7200, listingVisibility: "unauth" });
    const moved = { id: state.id, inputs, outputs };
    bench.willDelete(MOUNT, moved);
    expect((await bench.call("GET", `${KV}-moved/data/a`)).body["data"]).toMatchObject({ data: { x: 1 } });
    expect((await bench.call("GET", `sys/mounts/${KV}`)).status).toBe(400);
    // Settings that are removed get their defaults again.
    const less = await bench.plugin.check(MOUNT, { path: news.path, type: "kv", options: { version: "2" } }, inputs);
    const after = await bench.plugin.update(MOUNT, moved, less.inputs);
    expect(after.outputs).not.toHaveProperty("listingVisibility", "unauth");
  });

  test("the type kv-v2 is kept as it was given", async () => {
    const news = { path: `${KV}2`, type: "kv-v2" };
    const state = await bench.make(MOUNT, news);
    expect(state.outputs).toMatchObject({ type: "kv-v2", options: {} });
    await expectStable(bench.plugin, MOUNT, state, news);
  });

  test("an audit device; every change replaces it", async () => {
    const news = { type: "file", path: DEVICE, options: { file_path: "discard" } };
    const state = await bench.make(AUDIT, news);
    expect(state).toMatchObject({ id: DEVICE, outputs: { path: DEVICE, options: { file_path: "discard" } } });
    await expectStable(bench.plugin, AUDIT, state, news);
    expect(await bench.plugin.diff(AUDIT, state, { ...state.inputs, options: { file_path: "/x" } })).toMatchObject({ replaces: ["options"] });
    await bench.plugin.delete(AUDIT, state);
    expect(await bench.plugin.read(AUDIT, state)).toBeUndefined();
  });
}
