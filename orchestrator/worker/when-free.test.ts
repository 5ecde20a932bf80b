import type { Clock } from "../../common/clock";
import { saysLocked, whenFree } from "./when-free";

class Held extends Error {}
const isHeld = (thrown: unknown): boolean => thrown instanceof Held;

/** An operation that finds its stack held so many times, with a clock that advances by itself. */
function held(times: number, signal = new AbortController().signal) {
  const told: string[] = [];
  const waited: number[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: async (ms, end) => {
      waited.push(ms);
      end?.throwIfAborted();
    },
  };
  let left = times;
  const operate = async (): Promise<string> => {
    if (left-- > 0) throw new Held("the stack is currently locked by 1 lock(s)");
    return "done";
  };
  return { operate, told, waited, options: { clock, signal, isHeld, tell: () => told.push("waiting") } };
}

test("a stack that is held is waited for, and that is reported once", async () => {
  const { operate, told, waited, options } = held(3);
  await expect(whenFree(operate, { ...options, waits: true })).resolves.toBe("done");
  expect([told, waited]).toEqual([["waiting"], [2_000, 2_000, 2_000]]);
});

test("without --wait it is a failure at once, and with it any other failure is", async () => {
  const { operate, waited, options } = held(1);
  await expect(whenFree(operate, { ...options, waits: false })).rejects.toThrow(Held);
  await expect(whenFree(() => Promise.reject(new Error("no such stack")), { ...options, waits: true })).rejects.toThrow("no such stack");
  expect(waited).toEqual([]);
});

test("a run that is interrupted waits no longer", async () => {
  const abort = new AbortController();
  const { operate, options } = held(Number.POSITIVE_INFINITY, abort.signal);
  const tell = (): void => abort.abort(new Error("interrupted"));
  await expect(whenFree(operate, { ...options, waits: true, tell })).rejects.toThrow("interrupted");
});

test.each([
  ["the embedded engine, and the CLI on such a backend", "pulumi refresh --yes failed: error: the stack is currently locked by 1 lock(s). Either wait", true],
  ["Pulumi Cloud", "error: [409] Conflict: Another update is currently in progress.", true],
  ["anything else", "pulumi refresh --yes failed: error: no stack named 'dev' found", false],
])("a lock as it is said by %s", (_, message, locked) => {
  expect(saysLocked(new Error(message))).toBe(locked);
});
