import { StackGraph } from "./graph";
import { type RunEvent, startRun } from "./run";
import type { WorkerResult } from "./worker-protocol";

const node = (name: string, ...needs: string[]) => ({ name, needs, description: "" });
const graph = new StackGraph([node("a"), node("b", "a"), node("c", "a"), node("d", "b")]);

/** A run whose stack processes end when the test says so. */
function controlled(options: { concurrency?: number; failFast?: boolean } = {}) {
  const ends = new Map<string, (result: WorkerResult) => void>();
  const events: string[] = [];
  let time = 0;
  const run = startRun(
    { operation: "up", graph, stacks: new Set(graph.names()), direction: "build", concurrency: options.concurrency ?? 2, failFast: options.failFast ?? false },
    {
      clock: { now: () => time++, sleep: async () => undefined },
      emit: (event: RunEvent) => {
        if (event.kind === "stack-started") events.push(`start ${event.stack}`);
        if (event.kind === "stack-finished") events.push(`${event.outcome.status} ${event.stack}`);
      },
      start: (stack) => ({
        result: new Promise((resolve) => ends.set(stack, resolve)),
        cancel: () => ends.get(stack)?.({ ok: false, changes: {}, error: { code: "E_CANCELLED", message: "cancelled" } }),
      }),
    },
  );
  const end = async (stack: string, ok = true) => {
    ends.get(stack)?.({ ok, changes: {}, ...(ok ? {} : { error: { code: "E_STACK_FAILED", message: "no" } }) });
    await new Promise(setImmediate);
  };
  return { run, events, end };
}

test("starts a stack as soon as what it needs is done, within the limit", async () => {
  const { run, events, end } = controlled();
  expect(events).toEqual(["start a"]);
  await end("a");
  await end("b");
  await end("c");
  await end("d");
  expect(events).toEqual(["start a", "succeeded a", "start b", "start c", "succeeded b", "start d", "succeeded c", "succeeded d"]);
  expect((await run.done).map((o) => [o.stack, o.status])).toEqual([
    ["a", "succeeded"],
    ["b", "succeeded"],
    ["c", "succeeded"],
    ["d", "succeeded"],
  ]);
});

test("a failure skips what needs it and lets the rest go on", async () => {
  const { run, end } = controlled({ concurrency: 1 });
  await end("a");
  await end("b", false);
  await end("c");
  expect((await run.done).map((o) => [o.stack, o.status, o.blame])).toEqual([
    ["a", "succeeded", undefined],
    ["b", "failed", undefined],
    ["c", "succeeded", undefined],
    ["d", "skipped", "b"],
  ]);
});

test("fail fast starts nothing more after the first failure", async () => {
  const { run, end } = controlled({ concurrency: 1, failFast: true });
  await end("a");
  await end("b", false);
  expect((await run.done).map((o) => o.status)).toEqual(["succeeded", "failed", "cancelled", "skipped"]);
});

test("the first interrupt lets running stacks finish and starts nothing new, the second cancels them", async () => {
  const first = controlled();
  first.run.interrupt();
  await first.end("a");
  expect((await first.run.done).map((o) => o.status)).toEqual(["succeeded", "cancelled", "cancelled", "cancelled"]);

  const second = controlled();
  second.run.interrupt();
  second.run.interrupt();
  expect((await second.run.done).map((o) => o.status)).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
});
