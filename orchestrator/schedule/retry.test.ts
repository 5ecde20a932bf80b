import { StackGraph } from "../target/graph";
import type { WorkerResult } from "../worker/worker-protocol";
import { Retries, type RetryPolicy } from "./retry";
import { type RunEvent, startRun } from "./run";

const policy: RetryPolicy = { classes: new Set(["busy"]), attempts: 4, firstDelay: 1_000, longestDelay: 3_000, budget: 100_000 };

test("waits double up to the longest, half of each is random; only for classes of passing failures, as often as allowed", () => {
  const least = new Retries(policy, () => 0);
  expect([1, 2, 3, 4].map((attempt) => least.delayAfter(attempt, "busy"))).toEqual([500, 1_000, 1_500, undefined]);
  const most = new Retries(policy, () => 0.999_999);
  expect([1, 2, 3].map((attempt) => most.delayAfter(attempt, "busy"))).toEqual([1_000, 2_000, 3_000]);
  expect([most.delayAfter(1, "other"), most.delayAfter(1, undefined)]).toEqual([undefined, undefined]);
});

test("all waits of a run together stay within the budget", () => {
  const retries = new Retries({ ...policy, budget: 1_200 }, () => 0);
  expect([retries.delayAfter(1, "busy"), retries.delayAfter(1, "busy"), retries.delayAfter(1, "busy")]).toEqual([500, 500, undefined]);
});

/** One stack whose tries end like this; waits take no time. */
async function runOf(results: WorkerResult[], more: { stackTimeout?: number } = {}) {
  const graph = new StackGraph([{ name: "dev", description: "", needs: [] }]);
  const events: RunEvent[] = [];
  let tries = 0;
  const run = startRun(
    { operation: "up", graph, stacks: new Set(["dev"]), direction: "build", concurrency: 1, failFast: false, retry: policy, ...more },
    {
      clock: { now: () => 0, sleep: async () => undefined },
      random: () => 0,
      emit: (event) => events.push(event),
      start: () => ({ result: Promise.resolve(results[tries++] ?? results.at(-1) ?? { ok: true, changes: {} }), cancel: () => undefined }),
    },
  );
  const [outcome] = await run.done;
  return { outcome, tries, kinds: events.map(({ kind }) => kind) };
}

const busy: WorkerResult = { ok: false, changes: {}, error: { code: "E_STACK_FAILED", class: "busy", message: "locked" } };

test("after a passing failure the stack is tried again, and the outcome says so", async () => {
  const { outcome, tries, kinds } = await runOf([busy, { ok: true, changes: { create: 1 } }]);
  expect([tries, kinds]).toEqual([2, ["run-started", "stack-started", "stack-retrying", "stack-finished", "run-finished"]]);
  expect(outcome).toMatchObject({ status: "succeeded", retries: [{ attempt: 1, class: "busy", message: "locked", delay: 500 }] });
});

test("other failures, and a worker that died, are not", async () => {
  expect((await runOf([{ ok: false, changes: {}, error: { code: "E_STACK_FAILED", class: "other", message: "" } }])).tries).toBe(1);
  expect((await runOf([{ ...busy, inDoubt: true }])).tries).toBe(1);
  expect(await runOf([busy])).toMatchObject({ tries: 4, outcome: { status: "failed", error: { message: "locked" } } });
});
