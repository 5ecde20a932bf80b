import { UNKNOWN } from "../../common/signatures";
import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const chain = (r: number, dbr?: boolean) => [
  { n: "a", a: { r, ...(dbr ? { dbr } : {}) } },
  { n: "b", refs: { rv: "a.out" } },
  { n: "c", refs: { v: "b.out" } },
];

describe("replacement", () => {
  test("creates before it deletes, and dependents are updated or replaced by their own diffs", async () => {
    await world.up(chain(1));
    world.provider.take();
    const outcome = await world.up(chain(2));
    expect(outcome).toMatchObject({
      ok: true,
      steps: ["create-replacement a [r]", "replace a [r]", "create-replacement b [rv]", "replace b [rv]", "update c", "delete-replaced b", "delete-replaced a"],
      changes: { replace: 2, same: 1, update: 1 },
    });
    expect(world.provider.take("Create", "Update", "Delete")).toEqual(["Create a", "Create b", "Update c", "Delete b", "Delete a"]);
    expect([...world.provider.world.keys()].sort()).toEqual(["a-4", "b-5", "c-3"]);
    expect(world.names).toEqual(["a", "b", "c"]);
  });

  test("with deleteBeforeReplace deletes before it creates, and deletes dependents that must be replaced first", async () => {
    await world.up(chain(1, true));
    world.provider.take();
    const outcome = await world.up(chain(2, true));
    expect(outcome).toMatchObject({
      ok: true,
      steps: ["delete-replaced b", "delete-replaced a", "replace a [r]", "create-replacement a [r]", "replace b", "create-replacement b [rv]", "update c"],
      changes: { replace: 2, same: 1, update: 1 },
    });
    expect(world.provider.take("Create", "Update", "Delete")).toEqual(["Delete b", "Delete a", "Create a", "Create b", "Update c"]);
    expect(world.names).toEqual(["a", "b", "c"]);
  });

  test("the option decides over the provider", async () => {
    await world.up([{ n: "a", a: { r: 1, dbr: true } }]);
    const outcome = await world.up([{ n: "a", a: { r: 2, dbr: true }, deleteBeforeReplace: false }]);
    expect(outcome.steps).toEqual(["create-replacement a [r]", "replace a [r]", "delete-replaced a"]);
  });

  test("a replacement calls Check again without old inputs, so that generated names differ", async () => {
    await world.up([{ n: "a", a: { r: 1 } }]);
    world.provider.calls.length = 0;
    await world.up([{ n: "a", a: { r: 2 } }]);
    expect(world.provider.calls.filter((call) => call.method === "Check").map((call) => call.olds)).toEqual([{ r: 1 }, {}]);
  });

  test("a detailed difference alone asks for a replacement", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.behaviour = { diff: () => ({ diffs: ["v"], detailed: { v: 5 } }) };
    expect((await world.up([{ n: "a", a: { v: 2 } }])).steps).toEqual(["create-replacement a", "replace a", "delete-replaced a"]);
  });

  test("replacement keys without a change mean nothing", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.behaviour = { diff: () => ({ changes: "none", replaces: ["v"] }) };
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["same a"]);
  });

  test("an old resource whose deletion failed waits in the state, and the next run deletes it", async () => {
    await world.up([{ n: "a", a: { r: 1 } }]);
    world.provider.behaviour = { delete: () => Promise.reject(new Failing("busy")) };
    expect(await world.up([{ n: "a", a: { r: 2 } }])).toMatchObject({ ok: false, errors: ["a: busy", "update failed"] });
    expect(world.names).toEqual(["a", "a (delete)"]);
    world.provider.behaviour = {};
    expect(await world.up([{ n: "a", a: { r: 2 } }])).toMatchObject({ ok: true, steps: ["same a", "delete-replaced a"] });
    expect([...world.provider.world.keys()]).toEqual(["a-2"]);
  });

  test("a delete-before-replace that was interrupted is continued by the next run", async () => {
    await world.up([{ n: "a", a: { r: 1, dbr: true } }]);
    world.provider.behaviour = { create: () => Promise.reject(new Failing("quota")) };
    await world.up([{ n: "a", a: { r: 2, dbr: true } }]);
    expect(world.state("a")).toMatchObject({ id: "a-1", pendingReplacement: true });
    world.provider.behaviour = {};
    world.provider.take();
    expect(await world.up([{ n: "a", a: { r: 2, dbr: true } }])).toMatchObject({ ok: true, steps: ["replace a [r]", "create-replacement a [r]"] });
    expect(world.provider.take("Delete", "Create")).toEqual(["Create a"]);
    expect(world.state("a")).toMatchObject({ pendingReplacement: false, inputs: { r: 2, dbr: true } });
  });

  test("a resource that was deleted for a replacement, and then dropped by the program, is removed from the state without a call", async () => {
    await world.up([{ n: "a", a: { r: 1, dbr: true } }]);
    world.provider.behaviour = { create: () => Promise.reject(new Failing("quota")) };
    await world.up([{ n: "a", a: { r: 2, dbr: true } }]);
    world.provider.behaviour = {};
    world.provider.take();
    const outcome = await world.up([]);
    expect(outcome).toMatchObject({ ok: true, steps: ["remove-pending-replace a"], changes: { same: 1 } });
    expect(world.provider.take("Delete")).toEqual([]);
  });

  test("a failed replacement keeps the old resource, also when the run goes on after errors", async () => {
    await world.up([{ n: "a", a: { r: 1 } }]);
    world.provider.behaviour = { create: () => Promise.reject(new Failing("quota")) };
    expect((await world.up([{ n: "a", a: { r: 2 } }], { continueOnError: true })).ok).toBe(false);
    expect([world.names, [...world.provider.world.keys()]]).toEqual([["a"], ["a-1"]]);
  });

  test("--replace replaces though nothing changed, and refuses a URN that is unknown before the program runs", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    expect((await world.up([{ n: "a", a: { v: 1 } }], { replaces: [urn("a")] })).steps).toEqual([
      "create-replacement a [id]",
      "replace a [id]",
      "delete-replaced a",
    ]);
    const outcome = await world.up([{ n: "a" }], { replaces: [urn("x")] });
    expect(outcome).toMatchObject({
      ok: false,
      steps: [],
      errors: [`Target '${urn("x")}' could not be found in the stack. Did you forget to escape $ in your shell?`],
    });
  });

  test("replaceOnChanges replaces for a change of a key, of any key, or after a failed initialisation", async () => {
    await world.up([{ n: "a", a: { v: 1, w: 1 } }]);
    expect((await world.up([{ n: "a", a: { v: 1, w: 2 }, replaceOnChanges: ["v"] }])).steps).toEqual(["update a"]);
    expect((await world.up([{ n: "a", a: { v: 2, w: 2 }, replaceOnChanges: ["v"] }])).steps[0]).toBe("create-replacement a [v]");
    expect((await world.up([{ n: "a", a: { v: 3, w: 2 }, replaceOnChanges: ["*"] }])).steps[0]).toBe("create-replacement a [v]");
    world.snapshot = { ...world.snapshot, resources: world.snapshot.resources.map((r) => (r.urn === urn("a") ? { ...r, initErrors: ["slow"] } : r)) };
    expect((await world.up([{ n: "a", a: { v: 3, w: 2 }, replaceOnChanges: ["#initerror"] }])).steps[0]).toBe("create-replacement a [#initerror]");
  });

  test("a replacement trigger replaces when its value changes, not when it is added or removed", async () => {
    const at = (replacementTrigger?: string) => [{ n: "a", a: { v: 1 }, ...(replacementTrigger === undefined ? {} : { replacementTrigger }) }];
    await world.up(at());
    expect((await world.up(at("1"))).steps).toEqual(["same a"]);
    expect((await world.up(at("1"))).steps).toEqual(["same a"]);
    expect((await world.up(at("2"))).steps).toEqual(["create-replacement a", "replace a", "delete-replaced a"]);
    expect((await world.up(at())).steps).toEqual(["same a"]);
  });

  test("replaceWith and deletedWith replace a resource along with the other", async () => {
    const both = (r: number) => [
      { n: "a", a: { r } },
      { n: "b", a: { v: 1 }, replaceWith: ["a"] },
      { n: "c", a: { v: 1 }, deletedWith: "a" },
    ];
    await world.up(both(1));
    world.provider.take();
    expect((await world.up(both(2))).steps).toEqual([
      ...["create-replacement a [r]", "replace a [r]", "create-replacement b [replaceWith]", "replace b [replaceWith]"],
      ...["create-replacement c [deletedWith]", "replace c [deletedWith]", "delete-replaced b", "delete-replaced c", "delete-replaced a"],
    ]);
    // A resource with deletedWith is not deleted by a call of its own.
    expect(world.provider.take("Delete")).toEqual(["Delete b", "Delete a"]);
  });
});

test("an unknown trigger counts as changed, also if there was none before; without a trigger nothing is replaced", async () => {
  await world.up([{ n: "a", a: { v: 1 } }]);
  const known = await world.preview([{ n: "a", a: { v: 1 }, replacementTrigger: "x" }]);
  expect(known.steps).toEqual(["same a"]);
  const unknown = await world.preview([{ n: "a", a: { v: 1 }, replacementTrigger: UNKNOWN }]);
  expect(unknown.steps).toEqual(["create-replacement a", "replace a", "delete-replaced a"]);
});
