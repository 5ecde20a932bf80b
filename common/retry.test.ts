import type { Clock } from "./clock";
import { type Attempt, retry } from "./retry";

/** A clock on which time passes only while somebody sleeps. */
function fakeClock(): Clock & { waits: number[] } {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    sleep: (ms, signal) => {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

test("the waits grow up to the longest, and the attempt that stands gives its value", async () => {
  const clock = fakeClock();
  const seen: Attempt<number>[] = [];
  const value = await retry((attempt) => Promise.resolve(attempt), {
    clock,
    firstMs: 100,
    longestMs: 350,
    again: (attempt) => {
      seen.push(attempt);
      return attempt.number < 5 ? attempt.backoffMs : undefined;
    },
  });
  expect([value, clock.waits]).toEqual([5, [100, 200, 350, 350]]);
  expect(seen.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 100, 300, 650, 1000]);
});

test("what the last attempt has thrown is thrown, and a wait may be another than the back-off", async () => {
  const clock = fakeClock();
  const failing = (attempt: number): Promise<never> => Promise.reject(new Error(`no ${attempt}`));
  const again = ({ number, outcome }: Attempt<never>) => ("thrown" in outcome && number < 2 ? 7 : undefined);
  await expect(retry(failing, { clock, firstMs: 1, longestMs: 1, again })).rejects.toThrow("no 2");
  expect(clock.waits).toEqual([7]);
});

test("a signal ends the wait with its reason", async () => {
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  const tried: number[] = [];
  const work = (attempt: number): Promise<void> => {
    tried.push(attempt);
    return Promise.resolve();
  };
  await expect(retry(work, { clock: fakeClock(), signal: controller.signal, firstMs: 1, longestMs: 1, again: () => 1 })).rejects.toThrow("enough");
  expect(tried).toEqual([1]);
});
