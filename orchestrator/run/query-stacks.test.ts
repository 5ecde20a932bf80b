import type { StackProcess } from "../worker/stack-process";
import type { WorkerResult } from "../worker/worker-protocol";
import { askEach } from "./query-stacks";

/** Processes that end when they are cancelled, or when they are told to. */
function processes() {
  const started: string[] = [];
  const ends = new Map<string, (result: WorkerResult) => void>();
  let interrupt = (): void => undefined;
  const session = {
    onInterrupt: (listener: () => void) => {
      interrupt = listener;
      return () => {
        interrupt = () => undefined;
      };
    },
  };
  const start = (stack: string): StackProcess => {
    started.push(stack);
    const result = new Promise<WorkerResult>((resolve) => ends.set(stack, resolve));
    return { result, cancel: () => ends.get(stack)?.({ ok: false, changes: {}, error: { code: "E_CANCELLED", message: "cancelled" } }) };
  };
  return { started, session, start, interrupt: () => interrupt(), end: (stack: string) => ends.get(stack)?.({ ok: true, changes: {} }) };
}

test("after an interrupt those that are asked are cancelled, and no further one is asked", async () => {
  const { started, session, start, interrupt, end } = processes();
  const asked = askEach(["a", "b", "c", "d"], 2, session, start);
  end("a");
  await new Promise(setImmediate);
  expect(started).toEqual(["a", "b", "c"]);
  interrupt();
  const results = await asked;
  expect(started).toEqual(["a", "b", "c"]);
  expect(results.map(([stack, { ok, error }]) => [stack, ok, error?.message])).toEqual([
    ["a", true, undefined],
    ["b", false, "cancelled"],
    ["c", false, "cancelled"],
    ["d", false, "interrupted before it was asked"],
  ]);
});
