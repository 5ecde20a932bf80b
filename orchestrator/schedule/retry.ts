/** Whether a stack that failed is tried again, and when. */
import type { FailureClass } from "../worker/worker-protocol";

export interface RetryPolicy {
  /** Failures of these classes pass by themselves. */
  classes: ReadonlySet<FailureClass>;
  /** Tries of one stack, the first included. */
  attempts: number;
  /** Milliseconds before the second try; doubled before each further one. */
  firstDelay: number;
  /** Milliseconds at most. */
  longestDelay: number;
  /** Milliseconds that all waits of a run may take together. */
  budget: number;
}

export const NO_RETRIES: RetryPolicy = { classes: new Set(), attempts: 1, firstDelay: 0, longestDelay: 0, budget: 0 };

/** One try that failed and was followed by another. */
export interface Retry {
  /** Which try failed: 1 is the first. */
  attempt: number;
  class: FailureClass;
  message: string;
  /** Milliseconds until the next. */
  delay: number;
}

export class Retries {
  #waited = 0;

  /** @param random in [0, 1) */
  constructor(
    private readonly policy: RetryPolicy,
    private readonly random: () => number,
  ) {}

  /** @param attempt which try failed. @returns milliseconds to wait before the next, or undefined for none */
  delayAfter(attempt: number, failure: FailureClass | undefined): number | undefined {
    const { classes, attempts, firstDelay, longestDelay, budget } = this.policy;
    if (failure === undefined || !classes.has(failure) || attempt >= attempts) return undefined;
    // Half of the delay is random, so that stacks that failed together are not tried again together.
    const delay = Math.round(Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + this.random() / 2));
    if (this.#waited + delay > budget) return undefined;
    this.#waited += delay;
    return delay;
  }
}
