import { makeSecret } from "../../engine/wire/values";
import { EngineWorld } from "../support/engine-world";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
  world.provider.world.set("there", { name: "x", inputs: { v: 1, r: 1 } });
  world.provider.world.set("there-2", { name: "x", inputs: { v: 1, r: 1 } });
});
afterEach(() => world.close());

describe("import", () => {
  test("equal inputs import and do no more; later runs are ordinary", async () => {
    const program = [{ n: "a", a: { v: 1, r: 1 }, import: "there" }];
    expect(await world.up(program)).toMatchObject({ ok: true, steps: ["import a"], changes: { create: 1, import: 1 } });
    expect(world.state("a")).toMatchObject({ id: "there", importId: "there", external: false });
    expect((await world.up(program)).steps).toEqual(["same a"]);
  });

  test("other inputs update in the same run, and a preview says so", async () => {
    const program = [{ n: "a", a: { v: 2, r: 1 }, import: "there" }];
    expect((await world.preview(program)).steps).toEqual(["import a", "update a"]);
    expect((await world.up(program)).steps).toEqual(["import a", "update a"]);
    expect(world.provider.world.get("there")?.inputs).toEqual({ v: 2, r: 1 });
  });

  test("inputs that would replace it are refused, in this run and in later ones; the import stays", async () => {
    const program = [{ n: "a", a: { v: 1, r: 2 }, import: "there" }];
    const message = /previously-imported resources that still specify an ID may not be replaced.*\nr: 1 => 2/;
    expect(await world.up(program)).toMatchObject({ ok: false, errors: [expect.stringMatching(message)] });
    expect(world.state("a")).toMatchObject({ id: "there", inputs: { v: 1, r: 1 } });
    expect(await world.up(program)).toMatchObject({ ok: false, steps: [], errors: [expect.stringMatching(message)] });
  });

  test("what is secret in the program is secret in the state and in all that is told, though the provider reads it in the clear", async () => {
    world.provider.behaviour = { read: async () => ({ inputs: { r: "hidden-1", deep: { v: "hidden-2" } }, outputs: { r: "hidden-1", out: "o" } }) };
    const a = { r: makeSecret("hidden-1"), deep: { v: makeSecret("hidden-2") } };
    const imported = await world.up([{ n: "a", a, import: "there", additionalSecretOutputs: ["out"] }]);
    expect(imported).toMatchObject({ ok: true, steps: ["import a"] });
    const held = { inputs: a, outputs: { r: makeSecret("hidden-1"), out: makeSecret("o") } };
    expect(world.state("a")).toMatchObject(held);
    const refreshed = await world.refresh();
    expect(world.state("a")).toMatchObject(held);
    const other = await world.up([{ n: "a", a: { ...a, r: makeSecret("hidden-3") }, import: "there" }]);
    expect(other.errors).toEqual([expect.stringContaining("may not be replaced")]);
    expect(JSON.stringify([imported.events, refreshed.events, other.events])).not.toContain("hidden");
  });

  test("what does not exist cannot be imported", async () => {
    expect(await world.up([{ n: "a", import: "nowhere" }])).toMatchObject({ ok: false, errors: ["a: resource 'nowhere' does not exist", "update failed"] });
    expect(world.names).toEqual([]);
  });

  test("another id replaces what was managed under that name", async () => {
    await world.up([{ n: "a", a: { v: 1, r: 1 } }]);
    expect(await world.up([{ n: "a", a: { v: 1, r: 1 }, import: "there" }])).toMatchObject({
      ok: true,
      steps: ["import-replacement a", "replace a", "delete-replaced a"],
      changes: { replace: 1, same: 1 },
    });
    expect([...world.provider.world.keys()]).toEqual(["there", "there-2"]);
  });
});

describe("read", () => {
  const read = (id: string) => [{ n: "a", kind: "read" as const, id }];

  test("a read resource is external, read in every run, and never deleted", async () => {
    expect(await world.up(read("there"))).toMatchObject({ ok: true, steps: ["read a"], changes: { create: 1 } });
    expect(world.state("a")).toMatchObject({ id: "there", external: true, outputs: { v: 1 } });
    expect((await world.up(read("there"))).steps).toEqual(["read a"]);
    expect((await world.up(read("there-2"))).steps).toEqual(["read a"]);
    expect(await world.up([])).toMatchObject({ ok: true, steps: ["discard a"] });
    expect(world.provider.world.has("there")).toBe(true);
  });

  test("what does not exist cannot be read", async () => {
    expect(await world.up(read("nowhere"))).toMatchObject({ ok: false, errors: ["a: resource 'nowhere' does not exist", "update failed"] });
  });

  test("a managed resource that is read by another id is replaced; by its own id it is let go", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    expect((await world.up(read("there"))).steps).toEqual(["read-replacement a", "replace a", "delete-replaced a"]);
    await world.up([{ n: "b", a: { v: 1 } }]);
    const id = world.state("b")?.id ?? "";
    expect((await world.up([{ n: "b", kind: "read", id }])).steps).toEqual(["read b"]);
    expect(world.provider.world.has(id)).toBe(true);
  });

  test("an external resource that becomes managed is created, and the read one is let go", async () => {
    await world.up(read("there"));
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["create-replacement a", "replace a", "discard-replaced a"]);
    expect(world.provider.world.has("there")).toBe(true);
    expect(world.names).toEqual(["a"]);
  });
});
