import { UNKNOWN } from "../../common/signatures";
import { changedProperties } from "../../engine/display/property-diff";
import { deserializeSnapshot, serializeSnapshot } from "../../engine/snapshot/serialize";
import { makeSecret } from "../../engine/wire/values";
import { EngineWorld, STACK_URN, urn } from "../support/engine-world";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

describe("same, create, update", () => {
  test("a new resource is checked and created, and the state holds what the provider made of it", async () => {
    const outcome = await world.up([{ n: "a", a: { v: 1 } }]);
    expect(outcome).toMatchObject({ ok: true, steps: ["create a"], changes: { create: 2 }, errors: [] });
    expect(world.provider.take()).toEqual(["CheckConfig default", "Configure default", "Check a", "Create a"]);
    expect(world.state("a")).toMatchObject({
      urn: urn("a"),
      id: "a-1",
      inputs: { v: 1 },
      outputs: { v: 1, out: "out-of-a-1" },
      parent: STACK_URN,
      propertyDependencies: { v: [] },
    });
  });

  test("an unchanged program changes nothing, and asks the provider for the difference only", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    const before = world.state("a");
    world.provider.take();
    const outcome = await world.up([{ n: "a", a: { v: 1 } }]);
    expect(outcome).toMatchObject({ ok: true, steps: ["same a"], changes: { same: 2 } });
    expect(world.provider.take("Check", "Diff", "Create", "Update")).toEqual(["Check a", "Diff a"]);
    expect(world.state("a")).toEqual(before);
  });

  test("numbers that JSON has no form for stay what they are: they are no change, and a change is told by their names", async () => {
    const odd = { none: Number.NaN, list: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] };
    const codec = { encrypt: (text: string) => text, decrypt: (text: string) => text };
    await world.up([{ n: "a", a: odd }], { outputs: odd });
    world.snapshot = deserializeSnapshot(JSON.parse(JSON.stringify(serializeSnapshot(world.snapshot, codec))), codec);
    expect(world.state("a")).toMatchObject({ inputs: odd, outputs: odd });
    expect(world.provider.world.get("a-1")?.inputs).toEqual(odd);
    const again = await world.up([{ n: "a", a: odd }], { outputs: odd });
    expect(again).toMatchObject({ ok: true, steps: ["same a"], changes: { same: 2 } });
    const { events } = await world.preview([{ n: "a", a: { ...odd, none: 1 } }], { outputs: odd });
    const facts = events.flatMap((event) => ("resourcePreEvent" in event ? [event.resourcePreEvent.metadata] : [])).find(({ op }) => op === "update");
    const sent: typeof facts = JSON.parse(JSON.stringify(facts));
    expect(changedProperties({ before: sent?.old?.inputs, after: sent?.new?.inputs }).map(({ text }) => text)).toEqual(["~ none: NaN => 1"]);
    expect(changedProperties({ before: undefined, after: sent?.old?.inputs }).map(({ text }) => text)).toEqual(["+ list: [Infinity,-Infinity]", "+ none: NaN"]);
  });

  test("a changed input updates in place: id and creation stay", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    const before = world.state("a");
    const outcome = await world.up([{ n: "a", a: { v: 2 } }]);
    expect(outcome).toMatchObject({ ok: true, steps: ["update a"], changes: { same: 1, update: 1 } });
    expect(world.state("a")).toMatchObject({ id: "a-1", created: before?.created, inputs: { v: 2 }, outputs: { v: 2, out: "out-of-a-1" } });
    expect(world.provider.world.get("a-1")?.inputs).toEqual({ v: 2 });
  });

  test("a preview plans the same steps and touches neither world nor state", async () => {
    const outcome = await world.preview([
      { n: "a", a: { v: 1 } },
      { n: "b", refs: { x: "a.out" } },
    ]);
    expect(outcome).toMatchObject({ ok: true, steps: ["create a", "create b"] });
    expect([world.names, [...world.provider.world]]).toEqual([[], []]);
  });

  test("a provider that knows no previews is not called in one: its outputs are the inputs, and the rest is unknown", async () => {
    world.provider.behaviour = { old: true };
    const plan = [
      { n: "a", a: { v: 1 } },
      { n: "b", refs: { x: "a.v", y: "a.out" } },
    ];
    const outcome = await world.preview(plan);
    expect(outcome).toMatchObject({ ok: true, steps: ["create a", "create b"] });
    expect(world.provider.calls.find(({ method, name }) => method === "Check" && name === "b")?.news).toEqual({ x: 1, y: UNKNOWN });
    await world.up(plan);
    world.provider.calls.length = 0;
    expect((await world.preview([{ n: "a", a: { v: 2 } }])).steps).toEqual(["update a", "delete b"]);
    expect(world.provider.calls.map(({ method }) => method)).toEqual(expect.not.arrayContaining(["Create", "Update", "Delete"]));
    expect([...world.provider.world.values()].map(({ inputs }) => inputs["v"])).toEqual([1, undefined]);
  });

  test("a check failure fails the run with an error on that resource only", async () => {
    world.provider.behaviour = { check: async () => ({ failures: [["v", "is bad"]] }) };
    const outcome = await world.up([{ n: "a", a: { v: 1 } }]);
    expect(outcome).toMatchObject({ ok: false, errors: ["a: exp:index:Res resource 'a': property v value {1} has a problem: is bad"] });
    expect(world.provider.take("Create")).toEqual([]);
    const secret = await world.up([{ n: "a", a: { v: { deep: makeSecret("hidden") } } }]);
    expect(secret.errors).toEqual([`a: exp:index:Res resource 'a': property v value {{"deep":"[secret]"}} has a problem: is bad`]);
  });

  test("a provider that does not know what changed leaves it to the inputs", async () => {
    world.provider.behaviour = { diff: () => ({ changes: "unknown", replaces: ["v"] }) };
    await world.up([{ n: "a", a: { v: 1 } }]);
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["same a"]);
    expect((await world.up([{ n: "a", a: { v: 2 } }])).steps).toEqual(["create-replacement a [v]", "replace a [v]", "delete-replaced a"]);
  });

  test("a resource that failed to initialise is updated again though nothing changed", async () => {
    world.provider.behaviour = { diff: () => ({ changes: "none" }) };
    await world.up([{ n: "a", a: { v: 1 } }]);
    const [stack, provider, a] = world.snapshot.resources;
    if (stack && provider && a) world.snapshot = { ...world.snapshot, resources: [stack, provider, { ...a, initErrors: ["slow"] }] };
    const outcome = await world.up([{ n: "a", a: { v: 1 } }]);
    expect(outcome.steps).toEqual(["update a"]);
    expect(world.state("a")?.initErrors).toEqual([]);
  });

  test("two resources of one URN end the run", async () => {
    const outcome = await world.up([{ n: "a" }, { n: "a" }]);
    expect(outcome).toMatchObject({ ok: false, errors: [`a: Duplicate resource URN '${urn("a")}'; try giving it a unique name`] });
  });
});
