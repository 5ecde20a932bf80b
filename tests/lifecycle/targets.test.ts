import { EngineWorld, urn } from "../support/engine-world";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const at = (v: number) => [
  { n: "a", a: { v } },
  { n: "b", a: { w: v }, refs: { v: "a.out" } },
  { n: "c", a: { v } },
];

describe("limited updates", () => {
  test("--target updates what is named; the rest stays and is not even checked", async () => {
    await world.up(at(1));
    world.provider.take();
    expect(await world.up(at(2), { targets: [urn("a")] })).toMatchObject({
      ok: true,
      steps: ["update a", "same b", "same c"],
      changes: { same: 3, update: 1 },
    });
    expect(world.provider.take("Check", "Diff", "Update")).toEqual(["Check a", "Diff a", "Update a"]);
    expect(world.state("b")?.inputs).toMatchObject({ w: 1 });
  });

  test("--target-dependents adds what depends on it", async () => {
    await world.up(at(1));
    expect((await world.up(at(2), { targets: [urn("a")], targetDependents: true })).steps).toEqual(["update a", "update b", "same c"]);
  });

  test("targets may be globs: one star stops at a colon", async () => {
    await world.up(at(1));
    expect((await world.up(at(2), { targets: ["urn:pulumi:dev::test::exp:*:Res::c"] })).steps).toEqual(["same a", "same b", "update c"]);
    expect((await world.up(at(3), { targets: ["**b"] })).steps).toEqual(["same a", "update b", "same c"]);
  });

  test("--exclude leaves out what is named, with --exclude-dependents also what depends on it", async () => {
    await world.up(at(1));
    expect((await world.up(at(2), { excludes: [urn("a")] })).steps).toEqual(["same a", "update b", "update c"]);
    expect((await world.up(at(3), { excludes: [urn("a")], excludeDependents: true })).steps).toEqual(["same a", "same b", "update c"]);
  });

  test("a new resource that needs one that --exclude leaves out is refused; one that does not need it is made", async () => {
    const program = [{ n: "a" }, { n: "b", refs: { v: "a.out" } }, { n: "c" }];
    const outcome = await world.up(program, { excludes: [urn("a")] });
    expect(outcome.ok).toBe(false);
    expect(outcome.errors).toEqual([expect.stringMatching(/^b: .*urn:pulumi:dev::test::exp:index:Res::a/)]);
    expect(world.names).toEqual([]);
    expect(
      (
        await world.up(
          program.filter(({ n }) => n !== "b"),
          { excludes: [urn("a")] },
        )
      ).steps,
    ).toEqual(["same a", "create c"]);
    expect(world.names).toEqual(["c"]);
  });

  test("a new resource outside the targets is left out of the state", async () => {
    expect(await world.up([{ n: "a" }, { n: "b" }], { targets: [urn("b")] })).toMatchObject({ ok: true, steps: ["same a", "create b"] });
    expect(world.names).toEqual(["b"]);
  });

  test("a target that depends on a new resource outside the targets is refused", async () => {
    const outcome = await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"] }], { targets: [urn("b")] });
    expect(outcome).toMatchObject({ ok: false, errors: [`b: Resource '${urn("b")}' depends on '${urn("a")}' which was was not specified in --target list.`] });
    expect(world.names).toEqual([]);
  });

  test("a dropped resource that is not a target stays in the state, before its dependents", async () => {
    await world.up([{ n: "a" }, { n: "b", dependsOn: ["a"] }]);
    expect(await world.up([{ n: "b", a: { v: 1 } }, { n: "c" }], { targets: [urn("c")] })).toMatchObject({ ok: true });
    expect(world.names).toEqual(["a", "b", "c"]);
  });

  test("an unknown target fails the run at its end; what is known was done", async () => {
    const outcome = await world.up([{ n: "a" }], { targets: [urn("a"), urn("x")] });
    expect(outcome).toMatchObject({ ok: false, steps: ["create a"], errors: [expect.stringContaining(`Target '${urn("x")}' could not be found`)] });
    expect(world.names).toEqual(["a"]);
  });

  test("a dependent that is deleted first along with a target is created again as it was, unless it is a target too", async () => {
    const program = (r: number) => [
      { n: "a", a: { r, dbr: true } },
      { n: "b", refs: { rx: "a.out" } },
    ];
    await world.up(program(1));
    const before = world.state("b")?.inputs;
    world.provider.calls.length = 0;
    expect((await world.up(program(2), { targets: [urn("a")] })).ok).toBe(true);
    expect(world.provider.take("Check", "Delete", "Create")).toEqual(["Check a", "Check a", "Delete b", "Delete a", "Create a", "Create b"]);
    expect(world.state("b")?.inputs).toEqual(before);
  });

  // Found by the fuzz test: the alias of a later resource claimed an entry that an earlier one depends on, and so moved it behind that one.
  test("an entry that was kept as a dependency can no longer be claimed by an alias", async () => {
    await world.up([{ n: "d" }, { n: "e", dependsOn: ["d"] }]);
    const outcome = await world.up([{ n: "e" }, { n: "f", aliases: [{ name: "d" }] }], { targets: ["**x"] });
    expect(outcome).toMatchObject({ ok: false, errors: [expect.stringContaining(`f: Duplicate resource alias '${urn("d")}'`)] });
    expect(world.names).toEqual(["d", "e"]);
  });
});
