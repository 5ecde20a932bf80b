/** The one loop that repeats work which may fail for a while. The caller decides which failures are worth another attempt. */
import type { Clock } from "./clock";

export interface Attempt<T> {
  /** 1 for the first. */
  readonly number: number;
  /** Its result or its error. */
  readonly outcome: { readonly value: T } | { readonly thrown: unknown };
  /** Milliseconds since the first began. */
  readonly elapsedMs: number;
  /** Proposed wait in milliseconds: `firstMs`, multiplied by `factor` after each attempt, at most `longestMs`. */
  readonly backoffMs: number;
}

export interface RetryOptions<T> {
  readonly clock: Clock;
  /** Ends the waits between attempts, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait after the first attempt. */
  readonly firstMs: number;
  /** The longest back-off, in milliseconds. */
  readonly longestMs: number;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /**
   * Milliseconds until the next attempt. `undefined`: there is none, and this attempt's outcome is the result. If this function throws,
   * `retry` throws that error instead of the attempt's.
   */
  again(attempt: Attempt<T>): number | undefined;
}

/** @returns the value of the last attempt. @throws what the last attempt has thrown; the signal's reason where that ends a wait */
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
