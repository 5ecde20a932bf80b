import type { ChildProcess } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { fork, MORE_FILES } from "../../common/children";
import { childEnv, ENV } from "../../common/env";
import { asError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import type { Redactor } from "../../common/redact";
import { fromWorkerSchema, PROTOCOL, type WorkerMessage, type WorkerResult, type WorkerTask } from "./worker-protocol";

/** A stack operation that runs in its own process. */
export interface StackProcess {
  result: Promise<WorkerResult>;
  /** Asks the engine to stop at the next safe point; a second call ends the worker's whole process group. */
  cancel(): void;
}

/** How many characters of a worker's stderr are kept for the case that it dies. */
const STDERR_TAIL = 4_000;

function spawnWorker(env: Readonly<Record<string, string | undefined>>, engineRoot: string | undefined): ChildProcess {
  return fork(path.join(projectRoot(), "bin", "orchestrator", "worker", "worker.js"), engineRoot === undefined ? [] : [engineRoot], {
    env: childEnv({ [ENV.programPreload]: path.join(projectRoot(), "bin", "stacks", "preload.js"), ...env }),
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we decide who stops when.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
}

const workerFailed = ({ stack }: WorkerTask, how: string, hint?: string): WorkerResult => ({
  ok: false,
  changes: {},
  error: { code: "E_WORKER", class: "worker", message: `the worker of stack ${stack} ${how}`.trimEnd(), ...(hint === undefined ? {} : { hint }) },
});

const STOPPED: WorkerResult = {
  ok: false,
  changes: {},
  error: {
    code: "E_CANCELLED",
    class: "cancelled",
    message: "stopped at once; operations that were under way are in doubt",
    hint: "run the same command again: it goes on from the saved state",
  },
};

/** A worker process. It does one task at a time, and another one after it: loading it anew costs as much as a small stack. */
class Worker {
  readonly #child: ChildProcess;
  #stderr = "";
  /** Of the task that it does. */
  #listener: { message(message: WorkerMessage): void; ended(how: string): void } | undefined;

  constructor(
    env: Readonly<Record<string, string | undefined>>,
    engineRoot: string | undefined,
    redactor: Redactor,
    private readonly gone: (worker: Worker) => void,
  ) {
    this.#child = spawnWorker(env, engineRoot);
    // Redacted before its tail is cut, since half a secret would not be recognised.
    const tail = redactor.stream((text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
    });
    this.#child.stderr?.setEncoding("utf8");
    this.#child.stderr?.on("data", (chunk: string) => tail.write(chunk));
    this.#child.stderr?.on("end", () => tail.end());
    this.#child.on("message", (raw: unknown) => this.#read(raw));
    this.#child.on("error", (cause) => this.#end(`cannot be started: ${cause.message}`));
    this.#child.on("exit", () => this.gone(this));
    this.#child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
      this.#end(`ended without a result (${how})\n${this.#stderr}`);
    });
  }

  #read(raw: unknown): void {
    const { data, error } = fromWorkerSchema.safeParse(raw);
    if (error !== undefined) {
      // Its further messages cannot be trusted either. It is killed, and what it did is not known.
      this.#end(`does not speak the protocol: ${z.prettifyError(error)}`);
      this.kill();
      return;
    }
    for (const message of data) this.#listener?.message(message);
  }

  #end(how: string): void {
    this.#listener?.ended(how);
  }

  begin(task: WorkerTask, listener: { message(message: WorkerMessage): void; ended(how: string): void }): void {
    this.#listener = listener;
    // Output of the previous task does not explain a failure of this one.
    this.#stderr = "";
    this.#child.send({ protocol: PROTOCOL, task });
  }

  cancel(): void {
    if (this.#child.connected) this.#child.send({ cancel: true });
  }

  kill(): void {
    if (this.#child.pid !== undefined && this.#child.exitCode === null) process.kill(-this.#child.pid, "SIGKILL");
  }

  /** It has done its task: further messages are ignored. */
  rest(): void {
    this.#listener = undefined;
  }

  /** Lets it end by itself, as soon as nothing is under way in it. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/**
 * Runs stack operations, each in a worker process of its own while it lasts. A worker whose task ended well takes the next one; one
 * whose task failed does not, since its condition is not known. `close` ends idle workers.
 */
export class StackProcesses {
  readonly #idle: Worker[] = [];
  #busy = 0;
  #closed = false;

  /**
   * @param env changes to the environment that every worker gets
   * @param engineRoot of the embedded engine, where the tasks will ask for it: a worker that waits loads it
   */
  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly redactor: Redactor,
    private readonly engineRoot?: string,
  ) {}

  #spawn(): Worker {
    return new Worker(this.env, this.engineRoot, this.redactor, (gone) => {
      const at = this.#idle.indexOf(gone);
      if (at >= 0) this.#idle.splice(at, 1);
    });
  }

  /**
   * Has a worker waiting, loaded and idle, so that the next stack does not wait for a process to start.
   * @param atMost how many stacks run at once. Where so many workers are busy, none is added: the next stack gets the worker of one that has ended.
   *   Default: 1
   */
  warm(atMost = 1): void {
    if (this.#idle.length > 0 || this.#busy >= atMost) return;
    try {
      this.#idle.push(this.#spawn());
    } catch {
      // The task that needs it tries again, and reports why it cannot be started.
    }
  }

  run(task: WorkerTask, onMessage: (message: WorkerMessage) => void): StackProcess {
    let worker: Worker;
    try {
      worker = this.#idle.pop() ?? this.#spawn();
    } catch (thrown) {
      return { result: Promise.resolve(workerFailed(task, asError(thrown).message, MORE_FILES)), cancel: () => undefined };
    }
    this.#busy++;
    let cancels = 0;
    let isOver = false;
    const result = new Promise<WorkerResult>((resolve) => {
      const end = (ended: WorkerResult, isUsable: boolean): void => {
        if (isOver) return;
        isOver = true;
        this.#busy--;
        worker.rest();
        if (isUsable && !this.#closed) this.#idle.push(worker);
        else worker.dismiss();
        resolve(ended);
      };
      worker.begin(task, {
        message: (message) => {
          if (message.kind === "result") end(message.result, message.result.ok && cancels === 0);
          else onMessage(message);
        },
        ended: (how) => end({ ...(cancels > 0 ? STOPPED : workerFailed(task, how)), inDoubt: true }, false),
      });
    });
    const cancel = (): void => {
      if (isOver) return;
      cancels++;
      if (cancels === 1) worker.cancel();
      else worker.kill();
    };
    return { result, cancel };
  }

  close(): void {
    this.#closed = true;
    for (const worker of this.#idle.splice(0)) worker.dismiss();
  }
}
