import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const drift = (id: string, inputs: { v: number }): void => void world.provider.world.set(id, { name: id.split("-")[0] ?? "", inputs });

describe("refresh", () => {
  test("an unchanged world changes nothing", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.take();
    expect(await world.refresh()).toMatchObject({ ok: true, steps: ["refresh a"], changes: { same: 2 } });
    expect(world.provider.take("Read", "Diff")).toEqual(["Read a", "Diff a"]);
  });

  test("a refresh records drift in the state, and the next update corrects it", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    drift("a-1", { v: 9 });
    expect(await world.refresh()).toMatchObject({ ok: true, changes: { same: 1, update: 1 } });
    expect(world.state("a")).toMatchObject({ inputs: { v: 9 }, outputs: { v: 9 } });
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["update a"]);
  });

  test("a changed output without a diff counts as the same, and is recorded in the state", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    drift("a-1", { v: 9 });
    world.provider.behaviour = { diff: () => ({ changes: "none" }) };
    expect((await world.refresh()).changes).toEqual({ same: 2 });
    expect(world.state("a")?.inputs).toEqual({ v: 9 });
  });

  test("a resource that is gone leaves the state, and no reference to it is left", async () => {
    await world.up([{ n: "a" }, { n: "b", refs: { v: "a.out" }, deletedWith: "a" }, { n: "c", parent: "a" }]);
    world.provider.world.delete("a-1");
    expect(await world.refresh()).toMatchObject({ ok: true, changes: { delete: 1, same: 3 } });
    expect(world.names).toEqual(["b", "c"]);
    expect(world.state("b")).toMatchObject({ dependencies: [], propertyDependencies: {}, deletedWith: undefined });
    // As with the CLI, a child of a deleted parent has no parent until the next update.
    expect(world.state("c")?.parent).toBeUndefined();
  });

  test("one that cannot be read fails the refresh; the others are refreshed", async () => {
    await world.up([
      { n: "a", a: { v: 1 } },
      { n: "b", a: { v: 1 } },
    ]);
    drift("b-2", { v: 9 });
    world.provider.behaviour = { read: ({ name }) => (name === "a" ? Promise.reject(new Failing("no route")) : undefined) };
    expect(await world.refresh()).toMatchObject({ ok: false, errors: ["a: no route", "update failed"] });
    expect([world.state("a")?.inputs, world.state("b")?.inputs]).toEqual([{ v: 1 }, { v: 9 }]);
  });

  test("a resource that exists and is not healthy is a warning, and the next update updates it", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.behaviour = { read: () => Promise.reject(new Failing("half", ["not ready"])) };
    expect(await world.refresh()).toMatchObject({ ok: true, warnings: ["a: Refreshed resource is in an unhealthy state:\n* not ready"] });
    expect(world.state("a")?.initErrors).toEqual(["not ready"]);
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["update a"]);
  });

  test("targets name what is read; stack and provider are not in by themselves", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"] }, { n: "c" }]);
    expect(await world.refresh({ targets: [urn("a")] })).toMatchObject({ steps: ["refresh a"], changes: { same: 1 } });
    expect((await world.refresh({ targets: [urn("a")], targetDependents: true })).steps).toEqual(["refresh a", "refresh b"]);
    expect((await world.refresh({ excludes: [urn("a")], excludeDependents: true })).steps).toEqual(["refresh c"]);
  });

  test("--refresh on an update reads first, and does not count that", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    drift("a-1", { v: 9 });
    expect(await world.up([{ n: "a", a: { v: 1 } }], { refresh: true })).toMatchObject({
      ok: true,
      steps: ["refresh a", "update a"],
      changes: { same: 1, update: 1 },
    });
  });

  test("a preview of a refresh reads, and saves nothing", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    drift("a-1", { v: 9 });
    expect((await world.preview([], { previewOf: "refresh" })).changes).toEqual({ same: 1, update: 1 });
    expect(world.state("a")?.inputs).toEqual({ v: 1 });
  });
});

describe("by the program", () => {
  const program = (area: string) => [
    { n: "p", kind: "provider" as const, a: { area } },
    { n: "a", provider: "p", a: { v: 1 } },
    { n: "b", a: { v: 1 } },
  ];

  test("existing resources are read by the provider that the program gives them, and a preview of that changes nothing", async () => {
    await world.up(program("old"));
    world.provider.calls.length = 0;
    const before = JSON.stringify(world.snapshot);
    const preview = await world.run("preview", [...program("new"), { n: "comes", a: { v: 2 } }], { previewOf: "refresh", refreshByProgram: true });
    expect(preview).toMatchObject({ ok: true, steps: expect.arrayContaining(["refresh a", "update p", "same comes"]) });
    expect(JSON.stringify(world.snapshot)).toBe(before);
    expect(world.provider.take("Create", "Update", "Delete")).toEqual([]);
    await world.refresh({}, program("new"));
    expect(world.state("p")?.inputs).toEqual({ area: "new" });
  });

  test("missing resources are removed with references to them; resources that the program dropped are read and stay; nothing is created", async () => {
    await world.up([
      { n: "gone", a: { v: 1 } },
      { n: "needs", refs: { v: "gone.out" }, dependsOn: ["gone"] },
      { n: "former", a: { v: 1 } },
    ]);
    world.provider.world.delete("gone-1");
    const outcome = await world.refresh({}, [
      { n: "gone", a: { v: 1 } },
      { n: "needs", refs: { v: "gone.out" }, dependsOn: ["gone"] },
      { n: "comes", a: { v: 2 } },
    ]);
    expect(outcome).toMatchObject({ ok: true, errors: [] });
    expect(world.names).toEqual(expect.arrayContaining(["needs", "former"]));
    expect(world.names).not.toContain("gone");
    expect(world.state("needs")).toMatchObject({ dependencies: [], propertyDependencies: { v: [] } });
    expect([...world.provider.world.keys()]).toEqual(["needs-2", "former-3"]);
  });

  test("an update with a refresh by the program starts from what was read", async () => {
    await world.up([
      { n: "a", a: { v: 1 } },
      { n: "gone", a: { v: 1 } },
    ]);
    world.provider.world.delete("gone-2");
    world.provider.behaviour = { read: async ({ name }) => (name === "a" ? { inputs: { v: 5 }, outputs: { v: 5 } } : undefined) };
    const outcome = await world.up(
      [
        { n: "a", a: { v: 1 } },
        { n: "gone", a: { v: 1 } },
      ],
      { refresh: true, refreshByProgram: true },
    );
    expect(outcome).toMatchObject({ ok: true, steps: expect.arrayContaining(["refresh a", "update a", "create gone"]) });
    expect(world.state("a")?.inputs).toEqual({ v: 1 });
  });
});
