/** The one loop that repeats work which may fail for a while. The caller decides which failures are worth another attempt. */
import type { Clock } from "./clock";

export interface Attempt<T> {
  /** 1 for the first. */
  readonly number: number;
  /** What came of it. */
  readonly outcome: { readonly value: T } | { readonly thrown: unknown };
  /** Milliseconds since the first began. */
  readonly elapsedMs: number;
  /** What the back-off says, in milliseconds: the first wait, longer by the factor after each attempt, up to the longest. */
  readonly backoffMs: number;
}

export interface RetryOptions<T> {
  readonly clock: Clock;
  /** Ends the waits between attempts, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds after the first attempt. */
  readonly firstMs: number;
  /** Milliseconds that no back-off is longer than. */
  readonly longestMs: number;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /**
   * Milliseconds until the next attempt; `undefined`: there is none, and what came of this one stands. What it throws ends the work as
   * well, in the place of what was thrown there.
   */
  again(attempt: Attempt<T>): number | undefined;
}

/** @returns the value of the attempt that stands. @throws what it has thrown; the signal's reason where that ends a wait */
export async function retry<T>(work: (attempt: number) => Promise<T>, { clock, signal, firstMs, longestMs, factor = 2, again }: RetryOptions<T>): Promise<T> {
  const start = clock.now();
  for (let number = 1; ; number++) {
    const outcome = await work(number).then(
      (value): Attempt<T>["outcome"] => ({ value }),
      (thrown: unknown): Attempt<T>["outcome"] => ({ thrown }),
    );
    const wait = again({ number, outcome, elapsedMs: clock.now() - start, backoffMs: Math.min(firstMs * factor ** (number - 1), longestMs) });
    if (wait === undefined) {
      if ("thrown" in outcome) throw outcome.thrown;
      return outcome.value;
    }
    await clock.sleep(wait, signal);
  }
}
