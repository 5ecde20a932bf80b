/** Faults that the fuzz test has found, each as the smallest program that shows it. */
import { EngineWorld, urn } from "../support/engine-world";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

test("a resource that a limited operation leaves under its old name has that name for its children", async () => {
  await world.up([{ n: "a" }]);
  const renamed = [
    { n: "c", aliases: [{ name: "a" }] },
    { n: "d", parent: "c", dependsOn: ["c"] },
  ];
  expect(await world.up(renamed, { excludes: [urn("c")] })).toMatchObject({ ok: true, steps: ["same a", "create d"], errors: [] });
  expect(world.names).toEqual(["a", "d"]);
  expect(world.state("d")).toMatchObject({ parent: urn("a"), dependencies: [urn("a")] });
  expect(await world.up(renamed)).toMatchObject({ ok: true, changes: { same: 3 } });
  expect(world.names).toEqual(["c", "d"]);
  expect(world.state("d")).toMatchObject({ parent: urn("c"), dependencies: [urn("c")] });
});

test("a replaced resource is deleted before a dependency that has deletedWith its successor", async () => {
  await world.up([{ n: "a" }, { n: "c", refs: { vef: "a.out" } }]);
  // `a` is renamed to `f`, which is deleted with the new `c`. The old `c`, which depends on `f`, still waits for its deletion.
  const renamed = [
    { n: "g", kind: "component" as const },
    { n: "c", refs: { ref: "g.out" } },
    { n: "f", aliases: [{ name: "a" }], deletedWith: "c" },
  ];
  expect(await world.up(renamed, { ends: { throws: "boom" } })).toMatchObject({ ok: false });
  expect(world.names).toContain("c (delete)");
  expect(await world.destroy()).toMatchObject({ ok: true, errors: [] });
  expect([world.snapshot.resources, [...world.provider.world.keys()]]).toEqual([[], expect.any(Array)]);
});

test("a resource outside a limited operation refers to a renamed resource by its new name", async () => {
  await world.up([{ n: "e" }, { n: "f", parent: "e" }]);
  const renamed = [
    { n: "a", aliases: [{ name: "e" }] },
    { n: "f", parent: "a" },
  ];
  expect(await world.up(renamed, { targets: [urn("a")] })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("f")?.parent).toBe(urn("a"));
});

test.each([0, 1, 2, 3, 4])("a signal at write %i of a run that keeps some entries and removes others cancels it, and is no internal error", async (at) => {
  world.provider.behaviour = { read: async ({ id }) => ({ outputs: { id: id ?? "" } }) };
  await world.up(["a", "b"].map((n) => ({ n, kind: "read", id: "x" })));
  const stop = new AbortController();
  let writes = 0;
  const onWrite = (moment: string): void => {
    if (moment === "after" && writes++ === at) stop.abort();
  };
  const { ok, errors } = await world.up([], { targets: [urn("a")], refresh: true, signal: stop.signal, onWrite });
  expect([ok, errors]).toEqual([!stop.signal.aborted, stop.signal.aborted ? ["update canceled"] : []]);
  expect(await world.up([])).toMatchObject({ ok: true, errors: [] });
  expect(world.names).toEqual([]);
});

test("after a provider is renamed, the replaced one that waits for its deletion keeps the old name and its resources", async () => {
  world.provider.behaviour = { read: async ({ id }) => ({ inputs: { v: 0 }, outputs: { id: id ?? "" } }) };
  const provider = (n: string, r: number) => ({ n, kind: "provider" as const, version: "1.0.0", a: { r } });
  await world.up([provider("p", 0), { n: "c", kind: "read", id: "x", provider: "p" }]);
  const ends = { throws: "boom" };
  // Both are replaced, and the program fails: the previous ones still wait for their deletion.
  await world.up([provider("p", 1), { n: "c", a: { v: 0 }, provider: "p", import: "x" }], { ends });
  expect(world.names).toContain("c (delete)");
  const renamed = [
    { ...provider("q", 1), aliases: [{ name: "p" }] },
    { n: "c", a: { v: 0 }, provider: "q" },
  ];
  expect((await world.up(renamed, { ends })).errors).toEqual(["an unhandled error occurred: boom"]);
  expect(await world.up(renamed)).toMatchObject({ ok: true, errors: [] });
  expect(world.names).toEqual(["q", "c"]);
});

const A = { n: "a" };
const NEEDS_A = { n: "f", dependsOn: ["a"] };
const READ = { n: "f", kind: "read" as const, id: "x" };

test.each([
  ["a target that is read anew", [{ n: "f" }, A], [A, NEEDS_A], { targets: [urn("f")] }],
  ["what is not excluded", [{ n: "f" }, A], [A, NEEDS_A], { excludes: [urn("a")] }],
  ["what the program reads", [READ, A, { n: "e" }], [A, { ...READ, dependsOn: ["a"] }, { n: "e" }], { targets: [urn("e")] }],
  [
    "what needs a renamed one",
    [READ, A],
    [
      { n: "b", aliases: [{ name: "a" }] },
      { ...READ, dependsOn: ["b"] },
    ],
    { excludes: [urn("a")] },
  ],
  ["a component", [{ n: "f", kind: "component" as const }, A], [A, { ...NEEDS_A, kind: "component" as const }], { targets: [urn("f", "my:index:Component")] }],
])("a refresh by the program puts what it does not read before what needs it now: %s", async (_what, before, after, limits) => {
  world.provider.behaviour = { read: async ({ id, olds = {} }) => ({ outputs: { ...olds, id: id ?? "" } }) };
  await world.up(before);
  const order = (): string[] => world.names.filter((name) => name === "a" || name === "f");
  expect(order()).toEqual(["f", "a"]);
  const { ok, errors, steps } = await world.refresh(limits, after);
  expect([ok, errors]).toEqual([true, []]);
  expect(order()).toEqual(["a", "f"]);
  // `a` moves in the state, and no step is reported for it.
  expect(steps.filter((step) => step.endsWith(" a"))).toEqual([]);
  expect(await world.up(after)).toMatchObject({ ok: true, errors: [] });
});

test.each([
  ["a resource", { n: "a" }],
  ["what the program reads", { n: "a", kind: "read" as const, id: "x" }],
])("a refresh by a program in which %s has become a component, and back, is no bug", async (_what, before) => {
  world.provider.behaviour = { read: async ({ id, olds = {} }) => ({ outputs: { ...olds, id: id ?? "" } }) };
  const component = { n: "a", kind: "component" as const, aliases: [{ type: "exp:index:Res", noParent: true }] };
  const back = { ...before, aliases: [{ type: "my:index:Component", noParent: true }] };
  await world.up([before, { n: "b", dependsOn: ["a"] }]);
  for (const now of [component, back]) {
    const program = [now, { n: "b", dependsOn: ["a"] }];
    expect(await world.refresh({}, program)).toMatchObject({ ok: true, errors: [] });
    expect(await world.up(program)).toMatchObject({ ok: true, errors: [] });
  }
  expect(await world.destroy()).toMatchObject({ ok: true, errors: [] });
});
