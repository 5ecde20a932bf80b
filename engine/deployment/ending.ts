/** The message at the end of an operation that failed: `silent` where each cause was shown on its own resource already. */
type Failure = "update failed" | "silent";

/** Whether and how an operation has failed. */
export class Ending {
  failure: Failure | undefined;
  #stop: () => void = () => undefined;
  readonly stopped = new Promise<"stopped">((resolve) => {
    this.#stop = () => resolve("stopped");
  });

  /** @param stopStarting called when nothing new may start */
  constructor(private readonly stopStarting: () => void) {}

  /** Nothing new starts from now on. The first failure is the one that counts. */
  halt(failure: Failure): void {
    this.failure ??= failure;
    this.stopStarting();
    this.#stop();
  }
}
