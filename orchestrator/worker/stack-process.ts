import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { childEnv, ENV } from "../../common/env";
import { projectRoot } from "../../common/paths";
import type { Redactor } from "../../common/redact";
import { fromWorkerSchema, PROTOCOL, type WorkerMessage, type WorkerResult, type WorkerTask } from "./worker-protocol";

/** A stack operation that runs in its own process. */
export interface StackProcess {
  result: Promise<WorkerResult>;
  /** Asks the engine to stop at the next safe point; a second call ends the worker's whole process group. */
  cancel(): void;
}

/** How much of a worker's stderr is kept for the case that it dies. */
const STDERR_TAIL = 4_000;

function spawnWorker(env: Readonly<Record<string, string | undefined>>): ChildProcess {
  return fork(path.join(projectRoot(), "bin", "orchestrator", "worker", "worker.js"), [], {
    env: childEnv({ [ENV.programPreload]: path.join(projectRoot(), "bin", "stacks", "preload.js"), ...env }),
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we decide who stops when.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
}

const workerFailed = ({ stack }: WorkerTask, how: string): WorkerResult => ({
  ok: false,
  changes: {},
  error: { code: "E_WORKER", class: "worker", message: `the worker of stack ${stack} ${how}`.trimEnd() },
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

/**
 * Starts worker processes, one for each stack operation. One is kept waiting, loaded and idle, so that the next stack does not
 * wait for a process to start; `close` ends it.
 */
export class StackProcesses {
  #spare: ChildProcess | undefined;

  /** @param env changes to the environment that every worker gets */
  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly redactor: Redactor,
  ) {}

  warm(): void {
    this.#spare ??= spawnWorker(this.env);
  }

  run(task: WorkerTask, onMessage: (message: WorkerMessage) => void): StackProcess {
    const child = this.#spare ?? spawnWorker(this.env);
    this.#spare = undefined;
    let cancels = 0;
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    };
    const cancel = (): void => {
      cancels++;
      if (cancels === 1) child.send({ cancel: true });
      else kill();
    };
    const result = new Promise<WorkerResult>((resolve) => {
      let reported: WorkerResult | undefined;
      let stderr = "";
      // Redacted before its tail is cut: half a secret is none that could be found.
      const tail = this.redactor.stream((text) => {
        stderr = (stderr + text).slice(-STDERR_TAIL);
      });
      child.stderr?.setEncoding("utf8");
      child.stderr?.on("data", (chunk: string) => tail.write(chunk));
      child.stderr?.on("end", () => tail.end());
      child.on("message", (raw: unknown) => {
        const { data, error } = fromWorkerSchema.safeParse(raw);
        if (error !== undefined) {
          // Its next words cannot be trusted either: it is ended, and what it did is not known.
          reported = { ...workerFailed(task, `does not speak the protocol: ${z.prettifyError(error)}`), inDoubt: true };
          kill();
          return;
        }
        for (const message of data) {
          if (message.kind === "result") reported = message.result;
          else onMessage(message);
        }
      });
      child.on("error", (cause) => {
        reported ??= workerFailed(task, `cannot be started: ${cause.message}`);
      });
      child.on("close", (code, signal) => {
        const how = signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
        const unreported = cancels > 0 ? STOPPED : workerFailed(task, `ended without a result (${how})\n${stderr}`);
        resolve(reported ?? { ...unreported, inDoubt: true });
      });
    });
    child.send({ protocol: PROTOCOL, task });
    return { result, cancel };
  }

  close(): void {
    this.#spare?.disconnect();
    this.#spare = undefined;
  }
}
