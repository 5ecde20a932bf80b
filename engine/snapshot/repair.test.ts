import * as fc from "fast-check";
import { HomelabError } from "../../common/errors";
import { brokenRule } from "./integrity";
import { repairState } from "./repair";
import { emptyState, type ResourceState } from "./types";

const urn = (name: string): string => `urn:pulumi:dev::p::${name < "p" ? "t:i:T" : "pulumi:providers:t"}::${name}`;
const make = (name: string, more: Partial<ResourceState> = {}): ResourceState => ({
  ...emptyState(urn(name), name < "p" ? "t:i:T" : "pulumi:providers:t", true),
  id: "1",
  ...more,
});
const namesOf = (entries: { state: ResourceState }[]): string[] => entries.map(({ state }) => state.urn.split("::").at(-1) ?? "");

test("entries are put in order, references to what is not there are dropped, and each change is told", () => {
  const states = [
    make("a", { dependencies: [urn("b"), urn("gone")], parent: urn("gone"), propertyDependencies: { v: [urn("gone"), urn("b")] } }),
    make("b", { provider: `${urn("q")}::old`, deletedWith: urn("gone"), replaceWith: [urn("gone")] }),
    make("q", { id: "new" }),
  ];
  const { entries, changes } = repairState(states);
  expect(namesOf(entries)).toEqual(["q", "b", "a"]);
  expect(entries.map(({ at }) => at)).toEqual([2, 1, 0]);
  expect(entries[2]?.state).toEqual({ ...states[0], dependencies: [urn("b")], parent: undefined, propertyDependencies: { v: [urn("b")] } });
  expect(entries[1]?.state).toEqual({ ...states[1], provider: `${urn("q")}::new`, deletedWith: undefined, replaceWith: [] });
  expect(changes).toHaveLength(8);
  expect(changes.join("\n")).toContain(`provider ${urn("q")}::old is not there; uses ${urn("q")}::new now`);
});

test("a state that is whole stays as it is", () => {
  const states = [make("q"), make("b", { provider: `${urn("q")}::1` }), make("a", { dependencies: [urn("b")] })];
  expect(repairState(states)).toEqual({ entries: states.map((state, at) => ({ at, state })), changes: [] });
});

test.each([
  ["a provider that is nowhere", [make("a", { provider: `${urn("q")}::1` })], "which the state does not hold"],
  ["two objects under one URN", [make("a"), make("a", { id: "2" })], "stands twice, with ids 1 and 2"],
])("%s is for a person to decide", (_what, states, why) => {
  expect(() => repairState(states)).toThrow(why);
});

const names = fc.constantFrom("a", "b", "c", "q", "r");
const entry = fc
  .record({
    name: names,
    isDeleted: fc.boolean(),
    parent: fc.option(names, { nil: undefined }),
    dependencies: fc.array(names, { maxLength: 2 }),
    deletedWith: fc.option(names, { nil: undefined }),
    provider: fc.option(fc.constantFrom("q", "r"), { nil: undefined }),
  })
  .map(({ name, isDeleted, parent, dependencies, deletedWith, provider }) =>
    make(name, {
      delete: isDeleted,
      parent: parent && urn(parent),
      dependencies: dependencies.map(urn),
      deletedWith: deletedWith && urn(deletedWith),
      provider: provider && name < "p" ? `${urn(provider)}::1` : undefined,
    }),
  );

test("whatever is repaired keeps the rules, and every object is still there", () => {
  void fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (states) => {
      try {
        const { entries, changes } = repairState(states);
        expect(brokenRule(entries.map(({ state }) => state))).toBeUndefined();
        const objects = (all: readonly ResourceState[]): string[] => [...new Set(all.map((r) => `${r.urn} ${r.id} ${r.delete}`))].sort();
        expect(objects(entries.map(({ state }) => state))).toEqual(objects(states));
        expect(changes.length > 0).toBe(brokenRule(states) !== undefined);
      } catch (thrown) {
        if (!(thrown instanceof HomelabError)) throw thrown;
      }
    }),
    { numRuns: 3_000 },
  );
});
