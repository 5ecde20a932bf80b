import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const chain = [{ n: "a" }, { n: "b", dependsOn: ["a"] }, { n: "c", refs: { v: "b.out" } }];

describe("deletion and destruction", () => {
  test("resources that the program drops are deleted, dependents first", async () => {
    await world.up(chain);
    world.provider.take();
    expect(await world.up([])).toMatchObject({ ok: true, steps: ["delete c", "delete b", "delete a"], changes: { delete: 3, same: 1 } });
    expect(world.provider.take("Delete")).toEqual(["Delete c", "Delete b", "Delete a"]);
    expect(world.snapshot.resources.map((r) => r.type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  test("a resource is deleted as soon as its dependents are, whatever else is still being deleted", async () => {
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

  test("a destruction leaves an empty state, without provider and stack", async () => {
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

  test("after a failed deletion the state keeps the resource and its dependencies", async () => {
    await world.up(chain);
    world.provider.behaviour = { delete: ({ name }) => (name === "b" ? Promise.reject(new Failing("busy")) : undefined) };
    expect(await world.destroy()).toMatchObject({ ok: false, errors: ["b: busy", "update failed"] });
    expect(world.names).toEqual(["a", "b"]);
  });

  test("protected resources stay and are reported; unrelated ones are deleted", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"], protect: true }, { n: "c" }]);
    const outcome = await world.destroy();
    expect(outcome.ok).toBe(false);
    expect(outcome.errors).toEqual([expect.stringMatching(/^b: resource ".*::b" cannot be deleted\nbecause it is protected/), "update failed"]);
    expect(world.names).toEqual(["a", "b"]);
  });

  test("--exclude-protected keeps protected resources and their dependencies, and is no failure", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"], protect: true }, { n: "c" }]);
    expect(await world.destroy({ excludeProtected: true })).toMatchObject({ ok: true, steps: ["same a", "same b", "delete c"] });
    expect(world.names).toEqual(["a", "b"]);
  });

  test("retainOnDelete removes the resource from the state without deleting it", async () => {
    await world.up([{ n: "a", retainOnDelete: true }]);
    expect(await world.up([])).toMatchObject({ ok: true, steps: ["delete a"] });
    expect([world.names, [...world.provider.world.keys()]]).toEqual([[], ["a-1"]]);
  });

  test("retainOnDelete applies to the children of a component, and to existing resources by an update without other changes", async () => {
    const program = (more: object) => [
      { n: "comp", kind: "component" as const, ...more },
      { n: "child", parent: "comp" },
    ];
    await world.up(program({}));
    expect(await world.up(program({ retainOnDelete: true }))).toMatchObject({ ok: true, changes: { same: 3 } });
    await world.up([]);
    expect([world.names, [...world.provider.world.keys()]]).toEqual([[], ["child-1"]]);
  });

  test("deletedWith skips the deletion only if the other resource is deleted too", async () => {
    await world.up([{ n: "a" }, { n: "b", deletedWith: "a" }]);
    world.provider.take();
    await world.up([{ n: "a" }]);
    expect(world.provider.take("Delete")).toEqual(["Delete b"]);
    await world.up([{ n: "a" }, { n: "b", deletedWith: "a" }]);
    world.provider.take();
    await world.destroy();
    expect(world.provider.take("Delete")).toEqual(["Delete a"]);
  });

  test("children and dependents of a component are deleted before it", async () => {
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

  test("a targeted destruction refuses to delete dependents that are no targets", async () => {
    await world.up(chain);
    const refused = await world.destroy({ targets: [urn("b")] });
    expect(refused).toMatchObject({ ok: false, steps: [], errors: [expect.stringContaining("c: Resource"), "update failed"] });
    expect(await world.destroy({ targets: [urn("b")], targetDependents: true })).toMatchObject({ ok: true, steps: ["same a", "delete c", "delete b"] });
    expect(world.names).toEqual(["a"]);
  });

  test("--exclude keeps the resource and its dependencies", async () => {
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
