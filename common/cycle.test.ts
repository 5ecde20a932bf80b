import fc from "fast-check";
import { findCycle } from "./cycle";

const needs = (all: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(all));

test.each<[needs: Record<string, string[]>, cycle: string[] | undefined]>([
  [{}, undefined],
  [{ a: ["b", "c"], b: ["c"], c: [] }, undefined],
  [{ a: ["a"] }, ["a", "a"]],
  [{ a: ["b"], b: ["c"], c: ["b"] }, ["b", "c", "b"]],
  [{ a: ["elsewhere"] }, undefined],
])("%j → %j", (given, cycle) => {
  expect(findCycle(needs(given))).toEqual(cycle);
});

test("where everything needs only what stands before it there is none; a need that closes a circle is always found", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 2, maxLength: 12 }), (rows) => {
      const given = new Map(rows.map((row, index) => [String(index), index === 0 ? [] : row.map((value) => String(value % index)).concat(String(index - 1))]));
      expect(findCycle(given)).toBeUndefined();
      given.set("0", [String(rows.length - 1)]);
      const cycle = findCycle(given) ?? [];
      expect([cycle.length > 1, cycle[0]]).toEqual([true, cycle.at(-1)]);
      for (const [index, name] of cycle.slice(0, -1).entries()) expect(given.get(name)).toContain(cycle[index + 1]);
    }),
  );
});
