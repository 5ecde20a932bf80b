const PAUSE_MS = 300;

/** Does something again and again until `stop`, which throws a failure of the meantime. */
export function repeatedly(work: () => Promise<void>): { stop(): Promise<void> } {
  let on = true;
  const ended = (async () => {
    while (on) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })().then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    stop: async () => {
      on = false;
      const failure = await ended;
      if (failure !== undefined) throw failure;
    },
  };
}
