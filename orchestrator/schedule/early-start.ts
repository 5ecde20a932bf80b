import type { StackProcess } from "../worker/stack-process";
import type { WorkerMessage } from "../worker/worker-protocol";

/** A stack's processes, started while what the stack needs still runs. For everyone else it has not started. */
export class EarlyStart {
  readonly #held: WorkerMessage[] = [];
  #listener: ((message: WorkerMessage) => void) | undefined;
  readonly process: StackProcess;

  constructor(start: (onMessage: (message: WorkerMessage) => void) => StackProcess) {
    this.process = start((message) => {
      if (this.#listener === undefined) this.#held.push(message);
      else this.#listener(message);
    });
    // Whoever releases it looks at how it ends; until then nobody does.
    this.process.result.catch(() => undefined);
  }

  /** From now on it runs like any other: what it has said so far comes first. */
  release(listener: (message: WorkerMessage) => void): StackProcess {
    for (const message of this.#held.splice(0)) listener(message);
    this.#listener = listener;
    return this.process;
  }
}
