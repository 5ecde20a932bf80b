/** A state that breaks the integrity rules is never written: runs that could produce one, and what happens to a change that would. */
import * as fc from "fast-check";
import { type SnapshotChange, SnapshotComposition } from "../../engine/snapshot/composition";
import { brokenRule, IntegrityIndex } from "../../engine/snapshot/integrity";
import { BrokenState, SnapshotManager } from "../../engine/snapshot/manager";
import { emptyState, type ResourceState } from "../../engine/snapshot/types";
import { EngineWorld, urn } from "../support/engine-world";
import type { ProgramResource } from "../support/monitor-client";

const make = (name: string, more: Partial<ResourceState> = {}): ResourceState => ({ ...emptyState(urn(name), "exp:index:Res", true), id: name, ...more });

// ---- runs of the engine; EngineWorld checks the rules at each write

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const provider = (a: Record<string, string | boolean> = { v: "1" }, more: Partial<ProgramResource> = {}): ProgramResource => ({
  n: "q",
  kind: "provider",
  version: "1.0.0",
  a,
  ...more,
});

test("a read that depends on a resource outside the targets is left out too; as a target, it is an error", async () => {
  world.provider.behaviour = { read: async ({ id }) => ({ outputs: { out: `out-of-${id}` } }) };
  await world.up([{ n: "a" }]);
  const program: ProgramResource[] = [{ n: "a", a: { v: 2 } }, { n: "new" }, { n: "got", kind: "read", id: "ext", dependsOn: ["new"] }];
  expect(await world.up(program, { targets: [urn("a")] })).toMatchObject({ ok: true, steps: ["update a", "same new", "same got"], errors: [] });
  expect(world.names).toEqual(["a"]);
  expect((await world.up(program, { targets: [urn("a"), urn("got")] })).errors).toEqual([expect.stringContaining(`depends on '${urn("new")}'`)]);
  expect(await world.up(program)).toMatchObject({ ok: true, errors: [] });
  // Now `got` is in the state. Its new dependency `other` is left out of the run, so `got` keeps its previous state.
  const more: ProgramResource[] = [...program.slice(0, 2), { n: "other" }, { n: "got", kind: "read", id: "ext", dependsOn: ["other"] }];
  expect(await world.up(more, { targets: [urn("a")] })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("got")?.dependencies).toEqual([urn("new")]);
  expect(await world.destroy()).toMatchObject({ ok: true });
});

test("a resource outside a limited run comes after its provider in the state, also after one that was replaced", async () => {
  const all = [provider(), { n: "d", provider: "q" }, { n: "a" }];
  await world.up(all);
  const q = urn("q", "pulumi:providers:exp");
  expect(await world.up([provider()], { replaces: [q], ends: { throws: "boom" } })).toMatchObject({ ok: false });
  const used = world.state("d")?.provider;
  expect(world.names).toEqual(["q", "q (delete)", "d", "a"]);
  const changed = [provider(), { n: "d", provider: "q" }, { n: "a", a: { v: 2 } }];
  expect(await world.up(changed, { targets: [urn("a")] })).toMatchObject({ ok: true, errors: [] });
  // The provider as a target does not change `d`, which keeps using the old provider.
  expect(await world.up(changed, { targets: [q] })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("d")?.provider).toBe(used);
  expect(await world.up(changed)).toMatchObject({ ok: true, errors: [] });
  expect(world.names).toEqual(["q", "d", "a"]);
  expect(world.state("d")?.provider).not.toBe(used);
});

test.each([
  ["the program dies at once", []],
  ["after another resource was made with it", [{ n: "f", provider: "q" }]],
])("a provider is deleted first, and %s: what used it waits for its replacement, and is made again", async (_when, more: ProgramResource[]) => {
  const q = provider({ v: "1" }, { deleteBeforeReplace: true });
  await world.up([q, { n: "d", provider: "q" }]);
  const replaces = [urn("q", "pulumi:providers:exp")];
  expect(await world.up([q, ...more], { replaces, ends: { throws: "boom" } })).toMatchObject({ ok: false });
  expect(world.state("d")?.pendingReplacement).toBe(true);
  world.provider.take();
  expect(await world.up([q, { n: "d", provider: "q" }])).toMatchObject({ ok: true, errors: [] });
  expect(world.provider.take("Delete", "Create")).toEqual(["Create d", ...more.map(({ n }) => `Delete ${n}`)]);
  expect(await world.destroy()).toMatchObject({ ok: true, errors: [] });
  expect(world.provider.world.size).toBe(0);
});

test("a provider with deleteBeforeReplace stays as long as resources wait for their deletion by it", async () => {
  const q = provider({ v: "1" }, { deleteBeforeReplace: true });
  const d = (r: string): ProgramResource => ({ n: "d", provider: "q", a: { r } });
  const ends = { throws: "boom" };
  await world.up([q, d("1")]);
  const made = world.state("d")?.provider;
  // The previous `d` waits for its deletion, which needs the provider that created it.
  await world.up([q, d("2")], { ends });
  expect(world.names).toContain("d (delete)");
  await world.up([q], { replaces: [urn("q", "pulumi:providers:exp")], ends });
  expect(world.names).toEqual(["q", "q (delete)", "d", "d (delete)"]);
  expect(world.snapshot.resources.find((r) => r.urn === urn("d") && r.delete)?.provider).toBe(made);
  expect(await world.up([q, d("2")])).toMatchObject({ ok: true, errors: [] });
  expect(world.provider.world.size).toBe(1);
});

test("with --continue-on-error, a resource that could not be deleted before its replacement is neither replaced nor forgotten", async () => {
  const program = [provider({ r: "1" }), { n: "a", provider: "q" }];
  await world.up(program);
  world.provider.behaviour = {
    delete: async () => {
      throw new Error("no");
    },
  };
  const next = [provider({ r: "2", dbr: true }), { n: "a" }];
  expect(await world.up(next, { continueOnError: true })).toMatchObject({ ok: false });
  expect(world.state("a")?.id).toBe("a-1");
  world.provider.behaviour = {};
  expect(await world.up(next)).toMatchObject({ ok: true });
  expect([...world.provider.world.keys()]).toEqual([world.state("a")?.id]);
});

// ---- a change that would break the rules

test("a change that breaks a rule is not written; the created resource stays in its pending operation, with its id", () => {
  const written: SnapshotChange[] = [];
  const base = { resources: [make("a")], pendingOperations: [] };
  const manager = new SnapshotManager(base, { append: (changes) => written.push(...changes) });
  const at = manager.begin({ type: "creating", resource: make("b", { id: undefined }) });
  const before = manager.snapshot().resources;
  const made = make("b", { dependencies: [urn("none")] });
  expect(() => manager.settle({ ends: at, add: made })).toThrow(BrokenState);
  expect(() => manager.settle({ remove: [base.resources[0] as ResourceState], add: make("c", { parent: urn("a") }) })).toThrow("rule 2");
  expect(manager.snapshot()).toEqual({ resources: before, pendingOperations: [{ type: "creating", resource: made }] });
  const file = new SnapshotComposition(base);
  for (const change of written) file.apply(change);
  expect({ resources: file.resources(), pendingOperations: file.pending() }).toEqual(manager.snapshot());
  // Later changes that keep the rules are still written.
  manager.settle({ add: make("c") });
  expect(manager.snapshot().resources.map((r) => r.id)).toEqual(["c", "a"]);
});

test("a run whose change would break a rule says so and ends; the state stays, and what was made is in it as pending", async () => {
  await world.up([{ n: "a" }]);
  const before = world.snapshot.resources;
  // The fault: an entry that the engine is about to add refers to a resource that no list has.
  const settle = SnapshotManager.prototype.settle;
  const faulty = jest.spyOn(SnapshotManager.prototype, "settle").mockImplementation(function (this: SnapshotManager, change) {
    const broken = change.add?.urn === urn("b") ? { ...change, add: { ...change.add, dependencies: [urn("none")] } } : change;
    settle.call(this, broken);
  });
  const run = await world.up([{ n: "a" }, { n: "b" }, { n: "c" }], { continueOnError: true });
  faulty.mockRestore();
  const made = [...world.provider.world.keys()].find((id) => id.startsWith("b")) ?? "";
  expect(run).toMatchObject({ ok: false, steps: ["same a", "create b"] });
  expect(run.errors).toEqual([
    expect.stringMatching(
      `^b: this change would break the state, so it was not written, and the state is what it was before \\(rule .*This is a bug in the embedded engine; ${urn("b")} exists with id ${made} and stands among the pending operations`,
    ),
    "update failed",
  ]);
  expect(world.snapshot.resources).toEqual(before);
  expect(world.snapshot.pendingOperations).toEqual([{ type: "creating", resource: expect.objectContaining({ urn: urn("b"), id: made }) }]);
});

const names = fc.constantFrom("a", "b", "c", "p", "q");
const entry: fc.Arbitrary<ResourceState> = fc
  .record({
    name: names,
    id: fc.constantFrom("1", "2"),
    isDeleted: fc.boolean(),
    parent: fc.option(names, { nil: undefined, freq: 3 }),
    dependencies: fc.array(names, { maxLength: 2 }),
    property: fc.array(names, { maxLength: 1 }),
    deletedWith: fc.option(names, { nil: undefined, freq: 4 }),
    replaceWith: fc.array(names, { maxLength: 1 }),
    provider: fc.option(fc.tuple(fc.constantFrom("p", "q"), fc.constantFrom("1", "2")), { nil: undefined, freq: 3 }),
  })
  .map(({ name, id, isDeleted, parent, dependencies, property, deletedWith, replaceWith, provider: used }) => {
    const of = (other: string): string => (other === "p" || other === "q" ? urn(other, "pulumi:providers:exp") : urn(other));
    const isProvider = name === "p" || name === "q";
    return {
      ...emptyState(of(name), isProvider ? "pulumi:providers:exp" : "exp:index:Res", true),
      id,
      delete: isDeleted,
      parent: parent && of(parent),
      dependencies: dependencies.map(of),
      propertyDependencies: { v: property.map(of) },
      deletedWith: deletedWith && of(deletedWith),
      replaceWith: replaceWith.map(of),
      provider: used && !isProvider ? `${of(used[0])}::${used[1]}` : undefined,
    };
  });

test("the index that checks each change finds the same violations as a check of the whole state", () => {
  void fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 6 }), fc.option(entry, { nil: undefined, freq: 4 })), { maxLength: 40 }), (changes) => {
      const index = new IntegrityIndex();
      const state = new Map<number, ResourceState>();
      for (const [place, next] of changes) {
        const before = state.get(place);
        index.set(place, next);
        if (next === undefined) state.delete(place);
        else state.set(place, next);
        const whole = brokenRule([...state].sort(([a], [b]) => a - b).map(([, r]) => r));
        expect(index.broken() === undefined).toBe(whole === undefined);
        if (whole === undefined) continue;
        // Undoes a change that breaks a rule, as the snapshot manager does.
        index.set(place, before);
        index.broken();
        if (before === undefined) state.delete(place);
        else state.set(place, before);
      }
    }),
    { numRuns: 2_000 },
  );
});
