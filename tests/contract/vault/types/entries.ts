/** Entries of KV 2 by the vault provider: what each type makes, what it reads back, and what it refuses. */
import { Secret, UNKNOWN } from "../../../../providers/sdk/values";
import { expectStable, SECRET } from "../under-test";
import { KV, type TypeBench } from "./bench";

export function entries(bench: TypeBench): void {
  test("an entry of KV 2", async () => {
    await bench.kv();
    const news = { mount: KV, name: "apps/dev", dataJson: new Secret('{"b":"<2>","a":1}'), deleteAllVersions: true };
    const state = await bench.make(SECRET, news);
    expect(state.id).toBe(`${KV}/data/apps/dev`);
    expect(state.outputs).toMatchObject({
      path: `${KV}/data/apps/dev`,
      dataJson: new Secret('{"a":1,"b":"\\u003c2\\u003e"}'),
      data: new Secret({}),
      metadata: { version: "1", destroyed: "false", custom_metadata: "null" },
      customMetadata: { casRequired: false, maxVersions: 0, data: {} },
    });
    expect((await bench.call("GET", `${KV}/data/apps/dev`)).body).toMatchObject({ data: { data: { a: 1, b: "<2>" } } });
    await expectStable(bench.plugin, SECRET, state, news);
  });

  test("the same JSON in another order is no change; another value is an update with the next version", async () => {
    await bench.kv();
    const state = await bench.make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1,"y":2}' });
    expect((await bench.plugin.diff(SECRET, state, { ...state.inputs, dataJson: '{ "y": 2, "x": 1 }' })).changes).toBe("none");
    const next = { ...state.inputs, dataJson: '{"x":9,"y":2}' };
    expect(await bench.plugin.diff(SECRET, state, next)).toMatchObject({ replaces: [], detailed: { dataJson: 4 } });
    expect((await bench.plugin.update(SECRET, state, next, { preview: true })).outputs["metadata"]).toBe(UNKNOWN);
    expect((await bench.plugin.update(SECRET, state, next)).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("what was changed by hand shows after a refresh; what was deleted is gone", async () => {
    await bench.kv();
    const state = await bench.make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}' });
    await bench.call("PUT", `${KV}/data/a`, { data: { x: 2 } });
    const refreshed = await bench.plugin.read(SECRET, state);
    expect(refreshed?.inputs["dataJson"]).toEqual(new Secret('{"x":2}'));
    await bench.call("DELETE", `${KV}/data/a`);
    expect(await bench.plugin.read(SECRET, state)).toBeUndefined();
  });

  test("check-and-set: a version that is not the current one is refused", async () => {
    await bench.kv();
    const state = await bench.make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}', cas: 0 });
    await expect(bench.plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}' })).rejects.toMatchObject({
      details: expect.stringContaining(`because: Vault: PUT ${KV}/data/a: 400: check-and-set parameter did not match the current version`),
    });
    await bench.plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}', cas: 1 });
  });

  test("of two writers at once the second is told, and the first one's value stays", async () => {
    await bench.kv();
    const state = await bench.make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}' });
    await bench.call("PUT", `${KV}/data/a`, { data: { x: 2 } });
    await expect(bench.plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":3}' })).rejects.toMatchObject({
      details: expect.stringContaining(`Vault: ${KV}/data/a was written by somebody else; it was left as it is`),
    });
    expect((await bench.call("GET", `${KV}/data/a`)).body["data"]).toMatchObject({ data: { x: 2 }, metadata: { version: 2 } });
    const refreshed = await bench.plugin.read(SECRET, state);
    await bench.plugin.update(SECRET, { ...state, outputs: refreshed?.outputs ?? {} }, { ...state.inputs, dataJson: '{"x":3}' });
    expect((await bench.call("GET", `${KV}/data/a`)).body["data"]).toMatchObject({ data: { x: 3 } });
  });

  test("an entry that was there before, also a deleted one, is taken over at its version", async () => {
    await bench.kv();
    await bench.call("PUT", `${KV}/data/a`, { data: { x: 1 } });
    await bench.call("DELETE", `${KV}/data/a`);
    expect((await bench.make(SECRET, { mount: KV, name: "a", dataJson: '{"x":2}' })).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("custom metadata", async () => {
    await bench.kv();
    const news = { mount: KV, name: "a", dataJson: "{}", customMetadata: { maxVersions: 5, data: { owner: "me" } } };
    const state = await bench.make(SECRET, news);
    expect(state.outputs["customMetadata"]).toMatchObject({ maxVersions: 5, data: { owner: "me" }, casRequired: false });
    await expectStable(bench.plugin, SECRET, state, news);
  });

  test("custom metadata changes and goes; an entry that is not to be read is not", async () => {
    await bench.kv();
    const news = { mount: KV, name: "a", dataJson: '{"x":1}', customMetadata: { data: { owner: "me" }, casRequired: true, deleteVersionAfter: 3600 } };
    const state = await bench.make(SECRET, news);
    await expectStable(bench.plugin, SECRET, state, news);
    const { inputs } = await bench.plugin.check(SECRET, { ...news, customMetadata: { data: { owner: "you" }, maxVersions: 3 } }, state.inputs);
    const { outputs } = await bench.plugin.update(SECRET, state, inputs);
    expect(outputs["customMetadata"]).toMatchObject({ data: { owner: "you" }, maxVersions: 3 });
    const blind = { mount: KV, name: "b", dataJson: new Secret('{"x":1}'), disableRead: true };
    const unread = await bench.make(SECRET, blind);
    await bench.call("PUT", `${KV}/data/b`, { data: { x: 2 } });
    expect((await bench.plugin.read(SECRET, unread))?.inputs["dataJson"]).toEqual(new Secret('{"x":1}'));
  });

  test("an entry's name and mount replace it; a chosen name deletes first, a generated one does not", async () => {
    await bench.kv();
    const state = await bench.make(SECRET, { mount: KV, name: "a", dataJson: "{}" });
    expect(await bench.plugin.diff(SECRET, state, { ...state.inputs, name: "b" })).toMatchObject({ replaces: ["name"], deleteBeforeReplace: false });
    expect(await bench.plugin.diff(SECRET, state, { ...state.inputs, mount: "kv2" })).toMatchObject({ replaces: ["mount"], deleteBeforeReplace: true });
    const generated = await bench.make(SECRET, { mount: KV, dataJson: "{}" });
    expect(generated.outputs["name"]).toMatch(/^it-[0-9a-f]{7}$/);
    const again = await bench.plugin.check(SECRET, { mount: KV, dataJson: "{}" }, generated.inputs);
    expect(again.inputs["name"]).toBe(generated.outputs["name"]);
    expect(await bench.plugin.diff(SECRET, generated, { ...generated.inputs, mount: "kv2" })).toMatchObject({ deleteBeforeReplace: false });
  });

  test("delete takes the latest version, or all of them", async () => {
    await bench.kv();
    await bench.plugin.delete(SECRET, await bench.make(SECRET, { mount: KV, name: "one", dataJson: '{"x":1}' }));
    expect((await bench.call("GET", `${KV}/metadata/one`)).status).toBe(200);
    await bench.plugin.delete(SECRET, await bench.make(SECRET, { mount: KV, name: "all", dataJson: '{"x":1}', deleteAllVersions: true }));
    expect((await bench.call("GET", `${KV}/metadata/all`)).status).toBe(404);
  });

  test("dataJson that is no object is a check failure that shows none of it", async () => {
    expect((await bench.plugin.check(SECRET, { mount: KV, dataJson: "oops, a password" })).failures).toEqual(["dataJson: must be a JSON object"]);
    expect((await bench.plugin.check(SECRET, { mount: UNKNOWN, dataJson: UNKNOWN })).failures).toEqual([]);
  });
}
