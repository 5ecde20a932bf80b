import type { StackProcess } from "../worker/stack-process";
import type { WorkerMessage } from "../worker/worker-protocol";

/** A stack's processes, started while the stacks that it needs still run. For all listeners the stack has not started yet. */
export class EarlyStart {
  readonly #held: WorkerMessage[] = [];
  #listener: ((message: WorkerMessage) => void) | undefined;
  readonly process: StackProcess;

  constructor(start: (onMessage: (message: WorkerMessage) => void) => StackProcess) {
    this.process = start((message) => {
      if (this.#listener === undefined) this.#held.push(message);
      else this.#listener(message);
    });
    // Its result is awaited only after `release`. This avoids an unhandled rejection before that.
    this.process.result.catch(() => undefined);
  }

  /** From now on it runs like any other. The messages that it has sent so far are delivered first. */
  release(listener: (message: WorkerMessage) => void): StackProcess {
    for (const message of this.#held.splice(0)) listener(message);
    this.#listener = listener;
    return this.process;
  }
}
