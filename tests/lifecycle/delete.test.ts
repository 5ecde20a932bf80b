import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const chain = [{ n: "a" }, { n: "b", dependsOn: ["a"] }, { n: "c", refs: { v: "b.out" } }];

describe("deletion and destruction", () => {
  test("what the program drops goes, what needs before what is needed", async () => {
    await world.up(chain);
    world.provider.take();
    expect(await world.up([])).toMatchObject({ ok: true, steps: ["delete c", "delete b", "delete a"], changes: { delete: 3, same: 1 } });
    expect(world.provider.take("Delete")).toEqual(["Delete c", "Delete b", "Delete a"]);
    expect(world.snapshot.resources.map((r) => r.type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  test("a resource goes as soon as what needs it is gone, whatever else still goes", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"] }, { n: "c" }, { n: "d", dependsOn: ["c"] }]);
    let cIsGone = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      cIsGone = resolve;
    });
    world.provider.behaviour = {
      delete: async ({ name }) => {
        if (name === "c") cIsGone();
        // By layers, c would wait for b.
        if (name === "b") await gone;
      },
    };
    expect(await world.destroy({ parallel: 4 })).toMatchObject({ ok: true, changes: { delete: 5 } });
    const deleted = world.provider.take("Delete");
    expect([deleted.indexOf("Delete d") < deleted.indexOf("Delete c"), deleted.at(-1)]).toEqual([true, "Delete a"]);
  });

  test("a destruction leaves an empty state, provider and stack gone too", async () => {
    await world.up(chain);
    expect(await world.destroy()).toMatchObject({ ok: true, changes: { delete: 4 } });
    expect([world.snapshot.resources, world.provider.world.size]).toEqual([[], 0]);
  });

  test("a preview of a destruction starts the providers and deletes nothing", async () => {
    await world.up(chain);
    world.provider.take();
    expect(await world.preview([], { previewOf: "destroy" })).toMatchObject({ ok: true, changes: { delete: 4 } });
    expect(world.provider.take()).toEqual(["Configure default"]);
    expect(world.names).toEqual(["a", "b", "c"]);
  });

  test("a failed deletion keeps the resource and all that it stands on", async () => {
    await world.up(chain);
    world.provider.behaviour = { delete: ({ name }) => (name === "b" ? Promise.reject(new Failing("busy")) : undefined) };
    expect(await world.destroy()).toMatchObject({ ok: false, errors: ["b: busy", "update failed"] });
    expect(world.names).toEqual(["a", "b"]);
  });

  test("protected resources stay, and unrelated ones go; each is told", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"], protect: true }, { n: "c" }]);
    const outcome = await world.destroy();
    expect(outcome.ok).toBe(false);
    expect(outcome.errors).toEqual([expect.stringMatching(/^b: resource ".*::b" cannot be deleted\nbecause it is protected/), "update failed"]);
    expect(world.names).toEqual(["a", "b"]);
  });

  test("--exclude-protected leaves protected resources and what they stand on, and is no failure", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"], protect: true }, { n: "c" }]);
    expect(await world.destroy({ excludeProtected: true })).toMatchObject({ ok: true, steps: ["same a", "same b", "delete c"] });
    expect(world.names).toEqual(["a", "b"]);
  });

  test("retainOnDelete forgets the resource and leaves it in the world", async () => {
    await world.up([{ n: "a", retainOnDelete: true }]);
    expect(await world.up([])).toMatchObject({ ok: true, steps: ["delete a"] });
    expect([world.names, [...world.provider.world.keys()]]).toEqual([[], ["a-1"]]);
  });

  test("retainOnDelete reaches the children of a component, and what is there already by an update that changes nothing else", async () => {
    const program = (more: object) => [
      { n: "comp", kind: "component" as const, ...more },
      { n: "child", parent: "comp" },
    ];
    await world.up(program({}));
    expect(await world.up(program({ retainOnDelete: true }))).toMatchObject({ ok: true, changes: { same: 3 } });
    await world.up([]);
    expect([world.names, [...world.provider.world.keys()]]).toEqual([[], ["child-1"]]);
  });

  test("deletedWith spares the call where the other goes too, and only there", async () => {
    await world.up([{ n: "a" }, { n: "b", deletedWith: "a" }]);
    world.provider.take();
    await world.up([{ n: "a" }]);
    expect(world.provider.take("Delete")).toEqual(["Delete b"]);
    await world.up([{ n: "a" }, { n: "b", deletedWith: "a" }]);
    world.provider.take();
    await world.destroy();
    expect(world.provider.take("Delete")).toEqual(["Delete a"]);
  });

  test("children and what depends on a component go before it", async () => {
    await world.up([
      { n: "comp", kind: "component" },
      { n: "a", parent: "comp" },
      { n: "b", dependsOn: ["comp"] },
    ]);
    world.provider.take();
    await world.destroy();
    expect(world.provider.take("Delete")).toEqual(["Delete b", "Delete a"]);
  });

  test("a protected resource is not replaced; unprotecting in the same run allows it", async () => {
    await world.up([{ n: "a", a: { r: 1 }, protect: true }]);
    const refused = await world.up([{ n: "a", a: { r: 2 }, protect: true }]);
    expect(refused).toMatchObject({ ok: false, steps: [], errors: [expect.stringContaining("currently marked for protection")] });
    const previewed = await world.preview([{ n: "a", a: { r: 2 }, protect: true }]);
    expect([previewed.ok, previewed.steps, previewed.errors.at(-1)]).toEqual([
      false,
      ["create-replacement a [r]", "replace a [r]", "delete-replaced a"],
      "preview failed",
    ]);
    expect((await world.up([{ n: "a", a: { r: 2 } }])).ok).toBe(true);
  });

  test("a targeted destruction refuses to take along what was not named", async () => {
    await world.up(chain);
    const refused = await world.destroy({ targets: [urn("b")] });
    expect(refused).toMatchObject({ ok: false, steps: [], errors: [expect.stringContaining("c: Resource"), "update failed"] });
    expect(await world.destroy({ targets: [urn("b")], targetDependents: true })).toMatchObject({ ok: true, steps: ["same a", "delete c", "delete b"] });
    expect(world.names).toEqual(["a"]);
  });

  test("--exclude keeps the resource and what it stands on", async () => {
    await world.up(chain);
    expect(await world.destroy({ excludes: [urn("b")] })).toMatchObject({ ok: true, steps: ["same a", "same b", "delete c"] });
    expect(world.names).toEqual(["a", "b"]);
  });

  test("a target that the state does not hold is refused before anything is done", async () => {
    await world.up(chain);
    await expect(world.destroy({ targets: [urn("x")] })).rejects.toThrow(`no resource named '${urn("x")}' found`);
    expect(world.names).toEqual(["a", "b", "c"]);
  });
});
