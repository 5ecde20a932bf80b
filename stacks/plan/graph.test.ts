import * as fc from "fast-check";
import { HOMELAB, loadHomelab } from "../../tests/support/homelab";
import { validateGraph } from "./graph";

const { stacks: STACKS } = loadHomelab();

const node = (name: string, ...needs: string[]) => ({ name, needs });
const failure = (nodes: { name: string; needs: string[] }[]) => {
  try {
    validateGraph(nodes, HOMELAB);
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

test("the seven stacks are a graph in which each comes after what it needs", () => {
  expect(failure(STACKS.map((stack) => ({ name: stack.name, needs: [...stack.needs] })))).toBeUndefined();
  expect(STACKS.map(({ name, needs }) => [name, needs])).toEqual([
    ["tools", []],
    ["observability", ["tools"]],
    ["home", ["tools", "observability"]],
    ["sandboxy", ["tools", "observability"]],
    ["dev", ["tools", "observability"]],
    ["stg", ["tools", "observability", "dev"]],
    ["prod", ["tools", "observability", "stg"]],
  ]);
});

test.each([
  ["itself", [node("a", "a")], "site/stacks.ts: the stacks need each other in a circle: a → a"],
  ["two", [node("a", "b"), node("b", "a")], "site/stacks.ts: the stacks need each other in a circle: a → b → a"],
  [
    "three below another",
    [node("top", "a"), node("a", "b"), node("b", "c"), node("c", "a")],
    "site/stacks.ts: the stacks need each other in a circle: a → b → c → a",
  ],
])("a cycle of %s fails with its path", (_, nodes, message) => {
  expect(failure(nodes)).toMatchObject({ code: "E_STACK_CYCLE", message });
});

test("a need that is no stack fails with the nearest name", () => {
  expect(failure([node("tools"), node("dev", "tolls")])).toMatchObject({
    code: "E_STACK_NEEDS",
    message: expect.stringMatching(/^site\/stacks\.ts:\d+: stack "dev" needs "tolls", and there is no such stack$/),
    hint: 'did you mean "tools"?',
  });
});

test("a need that is near to nothing fails with the names there are", () => {
  expect(failure([node("tools"), node("dev", "kubernetes")])).toMatchObject({ hint: "the stacks are: tools, dev" });
});

test("one name for two stacks fails", () => {
  expect(failure([node("dev"), node("dev")])).toMatchObject({
    code: "E_STACK_DUPLICATE",
    message: expect.stringMatching(/^site\/stacks\.ts:\d+: two stacks are named "dev"$/),
  });
});

test("any graph whose needs all point back is accepted, and one more edge forward closes a cycle", async () => {
  const graph = fc
    .integer({ min: 2, max: 12 })
    .chain((size) =>
      fc
        .tuple(...Array.from({ length: size }, (_, i) => fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, i - 1) }), { maxLength: i })))
        .map((needs) => needs.map((list, i) => node(`s${i}`, ...(i === 0 ? [] : list.map((n) => `s${n}`))))),
    );
  await fc.assert(
    fc.property(graph, (nodes) => {
      expect(failure(nodes)).toBeUndefined();
      const last = nodes.at(-1);
      const withNeed = nodes.find(({ name }) => last?.needs.includes(name));
      if (last === undefined || withNeed === undefined) return;
      const closed = nodes.map((n) => (n === withNeed ? node(n.name, ...n.needs, last.name) : n));
      expect(failure(closed)).toMatchObject({ code: "E_STACK_CYCLE" });
    }),
    { numRuns: 100 },
  );
});
