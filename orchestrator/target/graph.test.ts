import { HomelabError } from "../../common/errors";
import { renderGraph, StackGraph } from "./graph";

const node = (name: string, ...needs: string[]) => ({ name, needs, description: "" });
const thrown = (run: () => unknown): HomelabError => {
  try {
    run();
  } catch (error) {
    if (error instanceof HomelabError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

test("a cycle is refused with its path", () => {
  const error = thrown(() => new StackGraph([node("a", "c"), node("b", "a"), node("c", "b"), node("d")]));
  expect([error.code, error.message]).toEqual(["E_STACK_CYCLE", "the stacks need each other in a circle: a → c → b → a"]);
});

test("an unknown need and an unknown stack are refused by name, with the known ones", () => {
  const need = thrown(() => new StackGraph([node("a", "x"), node("b")]));
  expect([need.code, need.message, need.hint]).toEqual(["E_STACK_NEEDS", "stack a needs x, which does not exist", "known stacks: a, b"]);
  const stack = thrown(() => new StackGraph([node("a"), node("b")]).node("develop"));
  expect([stack.code, stack.message, stack.hint]).toEqual(["E_STACK_UNKNOWN", "there is no stack develop", "use one of: a, b"]);
});

// tools → observability → dev → stg, home; dev also needs tools itself.
const graph = new StackGraph([
  node("tools"),
  node("observability", "tools"),
  node("home", "observability"),
  node("dev", "observability", "tools"),
  node("stg", "dev"),
]);

test("closures follow needs up and dependents down", () => {
  expect([...graph.withNeeds(["dev"])].sort()).toEqual(["dev", "observability", "tools"]);
  expect([...graph.withDependents(["dev"])].sort()).toEqual(["dev", "stg"]);
});

test("drawings leave out what another need implies", () => {
  expect(renderGraph(graph, "mermaid")).toBe(
    "graph LR\n  tools\n  observability\n  home\n  dev\n  stg\n  tools --> observability\n  observability --> home\n  observability --> dev\n  dev --> stg",
  );
  expect(renderGraph(graph, "dot")).toBe(
    'digraph homelab {\n  rankdir=LR;\n  "tools";\n  "observability";\n  "home";\n  "dev";\n  "stg";\n  "tools" -> "observability";\n  "observability" -> "home";\n  "observability" -> "dev";\n  "dev" -> "stg";\n}',
  );
  expect(JSON.parse(renderGraph(graph, "json")).stacks[3]).toEqual({ name: "dev", needs: ["observability", "tools"], description: "" });
});
