import fc from "fast-check";
import { StackGraph, type StackNode } from "../target/graph";
import { ReadyQueue } from "./queue";

const node = (name: string, ...needs: string[]): StackNode => ({ name, needs, description: "" });
const homelab = new StackGraph([
  node("tools"),
  node("observability", "tools"),
  node("home", "observability"),
  node("sandboxy", "observability"),
  node("dev", "observability"),
  node("stg", "dev"),
  node("prod", "stg"),
]);
const all = new Set(homelab.names());

/** Claims and finishes one at a time: the order in which a single worker would go. */
function order(queue: ReadyQueue): string[] {
  const seen: string[] = [];
  for (let next = queue.claim(); next !== undefined; next = queue.claim()) {
    seen.push(next);
    queue.finish(next, "succeeded");
  }
  return seen;
}

test("the head of the longest chain goes first, ties by name", () => {
  expect(order(new ReadyQueue(homelab, all, "build"))).toEqual(["tools", "observability", "dev", "stg", "home", "prod", "sandboxy"]);
});

test("destroying runs backwards", () => {
  expect(order(new ReadyQueue(homelab, all, "destroy"))).toEqual(["prod", "stg", "dev", "home", "sandboxy", "observability", "tools"]);
});

test("a failure skips what waits for it, transitively, names who is to blame, and touches nothing else", () => {
  const queue = new ReadyQueue(homelab, all, "build");
  queue.finish(queue.claim() ?? "", "succeeded");
  queue.finish(queue.claim() ?? "", "succeeded");
  expect(queue.claim()).toBe("dev");
  expect(queue.finish("dev", "failed")).toEqual(["stg", "prod"]);
  expect([queue.status("stg"), queue.blame("prod"), queue.status("home"), queue.done()]).toEqual(["skipped", "dev", "pending", false]);
  expect(order(queue)).toEqual(["home", "sandboxy"]);
  expect(queue.done()).toBe(true);
});

test("a stack that did not run cannot finish", () => {
  const queue = new ReadyQueue(homelab, all, "build");
  expect(() => queue.finish("dev", "succeeded")).toThrow("stack dev is pending and cannot become succeeded");
});

test("on any graph, with failures anywhere: nothing starts before what it needs, all end, and a skip has a failed cause", () => {
  const graphs = fc
    .integer({ min: 1, max: 9 })
    .chain((size) =>
      fc.tuple(
        fc.tuple(...Array.from({ length: size }, (_, i) => fc.subarray(Array.from({ length: i }, (_, j) => `s${j}`)))),
        fc.array(fc.boolean(), { minLength: size, maxLength: size }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("build" as const, "destroy" as const),
      ),
    );
  fc.assert(
    fc.property(graphs, ([needs, fails, workers, direction]) => {
      const graph = new StackGraph(needs.map((list, i) => node(`s${i}`, ...list)));
      const queue = new ReadyQueue(graph, new Set(graph.names()), direction);
      const before = (name: string) =>
        direction === "build" ? graph.node(name).needs : graph.names().filter((other) => graph.node(other).needs.includes(name));
      const running: string[] = [];
      for (let round = 0; !queue.done(); round++) {
        expect(round).toBeLessThan(100);
        while (running.length < workers) {
          const next = queue.claim();
          if (next === undefined) break;
          for (const need of before(next)) expect(queue.status(need)).toBe("succeeded");
          running.push(next);
        }
        const ended = running.shift();
        if (ended === undefined) throw new Error("nothing runs and the queue is not done");
        queue.finish(ended, fails[Number(ended.slice(1))] ? "failed" : "succeeded");
      }
      for (const name of graph.names()) {
        if (queue.status(name) === "skipped") expect(queue.status(queue.blame(name) ?? "")).toBe("failed");
        else expect(queue.status(name)).toBe(fails[Number(name.slice(1))] ? "failed" : "succeeded");
      }
    }),
    { numRuns: 200 },
  );
});

test("with times of earlier runs the chain that takes longest goes first; a stack without a time counts as the mean", () => {
  const times = new Map([
    ["tools", 60],
    ["home", 500],
    ["dev", 40],
    ["stg", 30],
    ["sandboxy", 20],
  ]);
  expect(order(new ReadyQueue(homelab, all, "build", times))).toEqual(["tools", "observability", "home", "dev", "stg", "prod", "sandboxy"]);
  expect(order(new ReadyQueue(homelab, all, "destroy", times))).toEqual(["home", "prod", "stg", "dev", "sandboxy", "observability", "tools"]);
});
