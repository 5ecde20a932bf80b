import { StackGraph } from "../target/graph";
import type { WorkerResult } from "../worker/worker-protocol";
import { type RunEvent, startRun } from "./run";

const node = (name: string, ...needs: string[]) => ({ name, needs, description: "" });
const graph = new StackGraph([node("a"), node("b", "a"), node("c", "a"), node("d", "b")]);

/** A run whose stack processes end when the test says so. */
function controlled(options: { concurrency?: number; failFast?: boolean; ahead?: number } = {}) {
  const ends = new Map<string, (result: WorkerResult) => void>();
  const says = new Map<string, (text: string) => void>();
  const spawned: string[] = [];
  const events: string[] = [];
  let time = 0;
  const run = startRun(
    {
      operation: "up",
      graph,
      stacks: new Set(graph.names()),
      direction: "build",
      concurrency: options.concurrency ?? 2,
      failFast: options.failFast ?? false,
      ahead: options.ahead ?? 0,
    },
    {
      clock: { now: () => time++, sleep: () => new Promise(() => undefined) },
      emit: (event: RunEvent) => {
        if (event.kind === "stack-started") events.push(`start ${event.stack}`);
        if (event.kind === "diagnostic") events.push(`${event.stack}: ${event.message}`);
        if (event.kind === "stack-finished") events.push(`${event.outcome.status} ${event.stack}`);
      },
      start: (stack, onMessage) => {
        spawned.push(stack);
        says.set(stack, (message) => onMessage({ kind: "diagnostic", severity: "info", urn: "", message }));
        return {
          result: new Promise((resolve) => ends.set(stack, resolve)),
          cancel: () => {
            spawned.push(`cancel ${stack}`);
            ends.get(stack)?.({ ok: false, changes: {}, error: { code: "E_CANCELLED", message: "cancelled" } });
          },
        };
      },
    },
  );
  const end = async (stack: string, ok = true) => {
    ends.get(stack)?.({ ok, changes: {}, ...(ok ? {} : { error: { code: "E_STACK_FAILED", message: "no" } }) });
    await new Promise(setImmediate);
  };
  return { run, events, spawned, end, say: (stack: string, text: string) => says.get(stack)?.(text) };
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

describe("starting ahead", () => {
  test("processes start early, while what they need runs; events do not show that", async () => {
    const { run, events, spawned, end, say } = controlled({ concurrency: 3, ahead: 2 });
    // The head of the longest chain comes first. d waits for b, which itself was only started early.
    expect(spawned).toEqual(["a", "b", "c"]);
    say("b", "loaded");
    say("b", "loaded more");
    expect(events).toEqual(["start a"]);
    await end("a");
    expect(events).toEqual(["start a", "succeeded a", "start b", "b: loaded", "b: loaded more", "start c"]);
    expect(spawned).toEqual(["a", "b", "c", "d"]);
    say("b", "last");
    await end("d");
    await end("c");
    expect(events.slice(6)).toEqual(["b: last", "succeeded c"]);
    await end("b");
    expect(events.slice(8)).toEqual(["succeeded b", "start d", "succeeded d"]);
    expect((await run.done).map((o) => o.status)).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"]);
  });

  test("a failure cancels a stack that was started early in vain, which is then skipped", async () => {
    const { run, spawned, end } = controlled({ concurrency: 3, ahead: 2 });
    await end("a", false);
    expect(spawned).toEqual(["a", "b", "c", "cancel b", "cancel c"]);
    expect((await run.done).map((o) => [o.stack, o.status, o.blame])).toEqual([
      ["a", "failed", undefined],
      ["b", "skipped", "a"],
      ["c", "skipped", "a"],
      ["d", "skipped", "a"],
    ]);
  });

  test("an interrupt cancels what was started early, and lets what runs finish", async () => {
    const { run, spawned, end } = controlled({ concurrency: 2, ahead: 2 });
    run.interrupt();
    expect(spawned).toEqual(["a", "b", "cancel b"]);
    await end("a");
    expect((await run.done).map((o) => o.status)).toEqual(["succeeded", "cancelled", "cancelled", "cancelled"]);
  });

  test("an early start never takes the place of a stack that can run", async () => {
    const { spawned, end } = controlled({ concurrency: 1, ahead: 2 });
    expect(spawned).toEqual(["a"]);
    await end("a");
    expect(spawned).toEqual(["a", "b"]);
  });
});

describe("a listener that fails, as a journal on a full disk", () => {
  function failingAt(kind: RunEvent["kind"]) {
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const run = startRun(
      { operation: "up", graph, stacks: new Set(graph.names()), direction: "build", concurrency: 2, failFast: false },
      {
        clock: { now: () => 0, sleep: async () => undefined },
        emit: (event) => {
          if (event.kind === kind) throw new Error("no space left on device");
        },
        start: (stack) => {
          started.push(stack);
          return { result: new Promise((resolve) => ends.set(stack, () => resolve({ ok: true, changes: {} }))), cancel: () => undefined };
        },
      },
    );
    return { run, started, ends };
  }

  test("at the start: nothing starts, and the run ends with its error", async () => {
    for (const kind of ["run-started", "stack-started"] as const) {
      const { run, started } = failingAt(kind);
      await expect(run.done).rejects.toThrow("no space left on device");
      expect(started).toEqual([]);
    }
  });

  test("later: what runs is finished, nothing new starts, and the run ends with its error", async () => {
    const { run, started, ends } = failingAt("stack-finished");
    expect(started).toEqual(["a"]);
    ends.get("a")?.();
    await expect(run.done).rejects.toThrow("no space left on device");
    expect(started).toEqual(["a"]);
  });
});

test("a worker that cannot even be started ends the run with its error", async () => {
  const run = startRun(
    { operation: "up", graph, stacks: new Set(["a"]), direction: "build", concurrency: 1, failFast: false },
    {
      clock: { now: () => 0, sleep: async () => undefined },
      emit: () => undefined,
      start: () => {
        throw new Error("spawn EAGAIN");
      },
    },
  );
  await expect(run.done).rejects.toThrow("spawn EAGAIN");
});

test("a run that is abandoned starts nothing more; what ran is cancelled, fails for that reason and is in doubt", async () => {
  const { run, spawned, end } = controlled();
  await end("a");
  run.abandon({ code: "E_GONE", message: "what it works on is gone" });
  run.abandon({ code: "E_OTHER", message: "said once" });
  await new Promise(setImmediate);
  expect(spawned).toEqual(["a", "b", "c", "cancel b", "cancel c"]);
  expect((await run.done).map(({ stack, status, error, inDoubt }) => [stack, status, error?.code, inDoubt])).toEqual([
    ["a", "succeeded", undefined, undefined],
    ["b", "failed", "E_GONE", true],
    ["c", "failed", "E_GONE", true],
    ["d", "cancelled", undefined, undefined],
  ]);
});
