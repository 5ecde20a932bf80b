/** Signals that end by themselves after a time. */

export interface Deadline {
  /** Aborts with the parent's reason, or with the deadline's when the time is over. */
  signal: AbortSignal;
  /** The work is done: the time no longer counts. */
  end(): void;
}

/**
 * `AbortSignal.any([parent, AbortSignal.timeout(ms)])` with a timer that is held on to: Node 20 lets the garbage collector take a
 * timeout that only `any` refers to, and it then never fires.
 * @param reason what the signal aborts with when the time is over
 */
export function startDeadline(parent: AbortSignal, ms: number, reason: () => Error): Deadline {
  const controller = new AbortController();
  const end = (): void => {
    clearTimeout(timer);
    parent.removeEventListener("abort", follow);
  };
  const follow = (): void => {
    end();
    controller.abort(parent.reason);
  };
  const timer = setTimeout(() => {
    end();
    controller.abort(reason());
  }, ms);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return { signal: controller.signal, end };
}

/**
 * Work with a time limit. When the limit is reached, running parts may fail with errors of their own; the limit's error is reported.
 * @param work is given the signal that ends it
 * @throws what `reason` makes, where the time was over before the work was
 */
export async function withinTime<T>(parent: AbortSignal, ms: number, reason: () => Error, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, end } = startDeadline(parent, ms, reason);
  try {
    return await work(signal);
  } catch (thrown) {
    throw signal.aborted && !parent.aborted ? signal.reason : thrown;
  } finally {
    end();
  }
}

/** A signal that aborts some time after its parent, so that what is under way when the parent aborts can still be finished. */
export function startGrace(parent: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(() => controller.abort(parent.reason), ms);
  };
  if (parent.aborted) arm();
  else parent.addEventListener("abort", arm, { once: true });
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      parent.removeEventListener("abort", arm);
    },
  };
}
