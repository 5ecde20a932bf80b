/** `--wait`: an operation on a stack that another run holds is tried again until the stack is free. */
import type { Clock } from "../../common/clock";
import { asError } from "../../common/errors";
import { retry } from "../../common/retry";

/** Milliseconds between two tries. */
const TRY_AGAIN = 2_000;

/** Whether a command of the engine failed because of another run's lock. Both engines use these words, and the Automation API reads them. */
export const saysLocked = (thrown: unknown): boolean => /the stack is currently locked by|\[409\] Conflict: Another update/.test(asError(thrown).message);

export interface WhenFree {
  clock: Clock;
  /** Ends the wait, with its reason. */
  signal: AbortSignal;
  /** false: a stack that is held is a failure at once. */
  waits: boolean;
  isHeld(thrown: unknown): boolean;
  /** Called once, before the first wait. */
  tell(): void;
}

/** @throws what the operation throws, except while it waits for a stack that is held */
export function whenFree<T>(operate: () => Promise<T>, { clock, signal, waits, isHeld, tell }: WhenFree): Promise<T> {
  return retry(operate, {
    ...{ clock, signal, firstMs: TRY_AGAIN, longestMs: TRY_AGAIN },
    again: ({ number, outcome, backoffMs }) => {
      if (!waits || signal.aborted || !("thrown" in outcome) || !isHeld(outcome.thrown)) return undefined;
      if (number === 1) tell();
      return backoffMs;
    },
  });
}
