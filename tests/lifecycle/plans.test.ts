/** A preview's plan, and updates that must follow it. tests/automation/plans.test.ts tests the plan's file. */
import type { Plan } from "../../engine/plans/plan";
import { makeSecret, type PropertyMap } from "../../engine/wire/values";
import { EngineWorld, type RunOptions, STACK_URN, urn } from "../support/engine-world";
import type { ProgramResource } from "../support/monitor-client";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

async function planOf(program: ProgramResource[], options: RunOptions = {}): Promise<Plan> {
  const { ok, errors, plan } = await world.preview(program, { ...options, writePlan: true });
  expect([ok, errors]).toEqual([true, []]);
  if (plan === undefined) throw new Error("the preview wrote no plan");
  return plan;
}

const opsOf = (plan: Plan): Record<string, string[]> => Object.fromEntries([...plan].map(([of, { ops }]) => [of.split("::").at(-1) ?? "", ops]));

const BEFORE: ProgramResource[] = [
  { n: "keeps", a: { v: 1 } },
  { n: "changes", a: { v: 1, old: true } },
  { n: "replaces", a: { r: 1 } },
  { n: "first", a: { r: 1, dbr: true } },
  { n: "after", refs: { r: "first.out" } },
  { n: "goes", a: { v: 1 } },
  { n: "group", kind: "component" },
];
const AFTER: ProgramResource[] = [
  { n: "keeps", a: { v: 1 } },
  { n: "changes", a: { v: 2, more: "x" } },
  { n: "replaces", a: { r: 2 } },
  { n: "first", a: { r: 2, dbr: true } },
  { n: "after", refs: { r: "first.out" } },
  { n: "group", kind: "component" },
  { n: "comes", refs: { v: "changes.out" } },
];

test("a plan has each resource's goal as the difference to the state, and its steps in order", async () => {
  await world.up(BEFORE);
  const plan = await planOf(AFTER);
  expect(opsOf(plan)).toEqual({
    "test-dev": ["same"],
    default: ["same"],
    keeps: ["same"],
    changes: ["update"],
    replaces: ["create-replacement", "replace", "delete-replaced"],
    first: ["delete-replaced", "replace", "create-replacement"],
    after: ["delete-replaced", "replace", "create-replacement"],
    goes: ["delete"],
    group: ["same"],
    comes: ["create"],
  });
  expect(plan.get(urn("changes"))?.goal?.inputDiff).toEqual({ adds: { more: "x" }, deletes: ["old"], updates: { v: 2 } });
  expect(plan.get(urn("goes"))).toEqual({ goal: undefined, ops: ["delete"], outputs: undefined, seed: undefined });
});

test("the same program does what was planned, and what was unknown may become known", async () => {
  const first = await planOf(BEFORE);
  expect(await world.up(BEFORE, { plan: first })).toMatchObject({ ok: true, errors: [] });
  const plan = await planOf(AFTER);
  expect(await world.up(AFTER, { plan })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("comes")?.inputs).toEqual({ v: world.state("changes")?.outputs["out"] });
});

test("names that a provider makes up come from the plan's seed", async () => {
  const seeds: string[] = [];
  world.provider.behaviour = {
    check: async ({ news, seed }) => {
      seeds.push(Buffer.from(seed ?? []).toString("hex"));
      return { inputs: news ?? {} };
    },
  };
  const plan = await planOf([{ n: "a", a: { v: 1 } }]);
  await world.up([{ n: "a", a: { v: 1 } }], { plan });
  expect(seeds).toHaveLength(2);
  expect(seeds[1]).toBe(seeds[0]);
});

const A = (a: PropertyMap, options: Partial<ProgramResource> = {}): ProgramResource => ({ n: "a", a, ...options });

/** What the state has, what was planned, what is run, and the error that stops it. */
const VIOLATIONS: [name: string, before: ProgramResource[], planned: ProgramResource[], run: ProgramResource[], error: string][] = [
  ["a property is changed", [A({ v: 1 })], [A({ v: 1 })], [A({ v: 2 })], `a: resource ${urn("a")} violates plan: properties changed: =~v[{2}]`],
  ["to another value", [A({ v: 1 })], [A({ v: 2 })], [A({ v: 3 })], "properties changed: ~~v[{2}!={3}]"],
  ["is added", [A({ v: 1 })], [A({ v: 1 })], [A({ v: 1, w: ["x", { k: null }] })], "properties changed: =+w[{[{x} {map[k:{<nil>}]}]}]"],
  ["is not added", [A({ v: 1 })], [A({ v: 1, w: true })], [A({ v: 1 })], "properties changed: +-w[{true}]"],
  ["is taken away", [A({ v: 1, w: 1 })], [A({ v: 1, w: 1 })], [A({ v: 1 })], "properties changed: =-w"],
  ["is not taken away", [A({ v: 1, w: 1 })], [A({ v: 1 })], [A({ v: 1, w: 1 })], "properties changed: -=w[{1}]"],
  ["more than one", [A({ v: 1, w: 1 })], [A({ v: 1, w: 1 })], [A({ v: 1e6, x: 1.5 })], "properties changed: =+x[{1.5}], =-w, =~v[{1e+06}]"],
  ["a resource is added", [], [], [A({ v: 1 })], "a: create is not allowed by the plan: no steps were expected for this resource"],
  ["a resource goes", [A({ v: 1 })], [A({ v: 1 })], [], "a: delete is not allowed by the plan: this resource is constrained to same"],
  ["a resource stays", [A({ v: 1 })], [], [A({ v: 1 })], `a: resource ${urn("a")} violates plan: resource unexpectedly not deleted`],
  ["a resource does not come", [], [A({ v: 1 })], [], `a: expected resource operations for ${urn("a")} but none were seen`],
  ["it is protected", [A({ v: 1 })], [A({ v: 1 })], [A({ v: 1 }, { protect: true })], "protect changed (expected false)"],
  ["it is no longer deleted first", [A({ v: 1 })], [A({ v: 1 }, { deleteBeforeReplace: true })], [A({ v: 1 })], "deleteBeforeReplace changed (expected true)"],
  ["changes are ignored", [A({ v: 1 })], [A({ v: 1 })], [A({ v: 1 }, { ignoreChanges: ["v"] })], "ignoreChanges changed: added v"],
  ["outputs are secret", [A({ v: 1 })], [A({ v: 1 }, { additionalSecretOutputs: ["out"] })], [A({ v: 1 })], "additionalSecretOutputs changed: deleted out"],
  ["it has another parent", [A({ v: 1 })], [A({ v: 1 })], [{ n: "g", kind: "component" }, A({ v: 1 }, { parent: "g" })], "is not allowed by the plan"],
];

test.each(VIOLATIONS)("a violation stops the update: %s", async (_name, before, planned, run, error) => {
  // One more resource in each program, so that the default provider neither is created nor deleted.
  const beside = (program: ProgramResource[]) => [...program, { n: "z" }];
  await world.up(beside(before));
  const plan = await planOf(beside(planned));
  const kept = world.snapshot.resources.filter(({ urn: of }) => of !== STACK_URN);
  const outcome = await world.up(beside(run), { plan });
  expect(outcome.ok).toBe(false);
  expect(outcome.errors).toEqual([expect.stringContaining(error)]);
  expect(world.snapshot.resources.filter(({ urn: of }) => of !== STACK_URN).map(({ urn: of, inputs }) => [of, inputs])).toEqual(
    expect.arrayContaining(kept.map(({ urn: of, inputs }) => [of, inputs])),
  );
});

test("a planned update that is no longer needed is no violation", async () => {
  await world.up([A({ v: 1 })]);
  const plan = await planOf([A({ v: 2 })]);
  await world.up([A({ v: 2 })]);
  expect(await world.up([A({ v: 2 })], { plan })).toMatchObject({ ok: true, steps: ["same a"] });
});

test("what is made anew although a key of it is taken away is within its own plan", async () => {
  await world.up([A({ r: 1, w: 1 })]);
  const plan = await planOf([A({ r: 2 })]);
  expect(await world.up([A({ r: 2 })], { plan })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("a")?.inputs).toEqual({ r: 2 });
});

test("a secret that is not as planned is not shown", async () => {
  const pw = (text: string) => [A({ pw: makeSecret(text) })];
  await world.up(pw("hunter2"));
  const { errors } = await world.up(pw("hunter3"), { plan: await planOf(pw("hunter2")) });
  expect(errors).toEqual([expect.stringContaining("properties changed: =~pw[{[secret]}]")]);
});

test("outputs of the stack are part of the plan", async () => {
  const plan = await planOf([], { outputs: { answer: 42 } });
  expect(plan.get(STACK_URN)?.goal?.outputDiff).toEqual({ adds: { answer: 42 }, deletes: [], updates: {} });
  expect(await world.up([], { outputs: { answer: 43 }, plan })).toMatchObject({
    ok: false,
    errors: ["test-dev: resource violates plan: properties changed: ++answer[{42}!={43}]"],
  });
  expect(await world.up([], { outputs: { answer: 42 }, plan: await planOf([], { outputs: { answer: 42 } }) })).toMatchObject({ ok: true });
});

test("a preview with a plan must follow it too", async () => {
  await world.up([A({ v: 1 })]);
  const plan = await planOf([A({ v: 1 })]);
  expect(await world.preview([A({ v: 2 })], { plan })).toMatchObject({ ok: false, errors: [expect.stringContaining("properties changed: =~v[{2}]")] });
});
