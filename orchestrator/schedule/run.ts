import type { Clock } from "../../common/clock";
import { asError } from "../../common/errors";
import type { StackGraph } from "../target/graph";
import type { StackProcess } from "../worker/stack-process";
import type { OutputValue, ResourceStep, WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import { type Direction, ReadyQueue, type StackStatus } from "./queue";

/** What a run tells its listeners (display, JSON events, journal, report), in the order in which it happened. */
export type RunEvent =
  | { kind: "run-started"; at: number; operation: string; stacks: string[] }
  | { kind: "stack-started"; at: number; stack: string }
  | { kind: "step-started" | "step-done" | "step-failed"; at: number; stack: string; step: ResourceStep }
  | { kind: "diagnostic"; at: number; stack: string; severity: "info" | "warning" | "error"; urn: string; message: string }
  | { kind: "stack-finished"; at: number; stack: string; outcome: StackOutcome }
  | { kind: "interrupted"; at: number; how: "finishing" | "cancelling" }
  | { kind: "run-finished"; at: number; ok: boolean };

export interface StackOutcome {
  stack: string;
  status: Exclude<StackStatus, "pending" | "running">;
  /** Operation to count; `same` included. */
  changes: Record<string, number>;
  /** Milliseconds since the epoch; undefined where it never started. */
  startedAt: number | undefined;
  finishedAt: number;
  outputs?: Record<string, OutputValue>;
  error?: { code: string; message: string; hint?: string };
  /** Its worker was ended before it had a result: what it did is not known. */
  inDoubt?: boolean;
  /** Of a skipped stack: whose failure skipped it. */
  blame?: string;
  /** Of a preview: upstream values it had to leave open; empty = complete. */
  unknowns?: string[];
}

/** Outputs may be large and may hold secrets; `homelab outputs` is the way to read them. */
export function withoutOutputs(event: RunEvent): RunEvent {
  if (event.kind !== "stack-finished" || event.outcome.outputs === undefined) return event;
  const { outputs: _outputs, ...outcome } = event.outcome;
  return { ...event, outcome };
}

export interface RunPlan {
  operation: string;
  graph: StackGraph;
  stacks: ReadonlySet<string>;
  direction: Direction;
  /** Stacks at once. */
  concurrency: number;
  /** Stop starting stacks after the first failure. */
  failFast: boolean;
  /**
   * Stacks whose processes are started while what they need still runs, to be loaded by then. For operations whose programs wait
   * for their upstream by themselves, and which change nothing. Default 0.
   */
  ahead?: number;
}

export interface RunHooks {
  start(stack: string, onMessage: (message: WorkerMessage) => void): StackProcess;
  /** Called when a stack was finished, before what waits for it starts; may add to the outcome. */
  settle?(outcome: StackOutcome): void;
  emit(event: RunEvent): void;
  clock: Clock;
}

/** A run under way. */
export interface Run {
  /** Rejects where a hook threw: what ran was finished first, and nothing new was started. */
  done: Promise<StackOutcome[]>;
  /** First call: nothing new starts, running stacks finish. Second: they are cancelled. Third: they are ended. */
  interrupt(): void;
}

/** A stack's processes, started while what the stack needs still runs. For everyone else it has not started. */
class EarlyStart {
  readonly #held: WorkerMessage[] = [];
  #listener: ((message: WorkerMessage) => void) | undefined;
  readonly process: StackProcess;

  constructor(start: (onMessage: (message: WorkerMessage) => void) => StackProcess) {
    this.process = start((message) => {
      if (this.#listener === undefined) this.#held.push(message);
      else this.#listener(message);
    });
  }

  /** From now on it runs like any other: what it has said so far comes first. */
  release(listener: (message: WorkerMessage) => void): StackProcess {
    for (const message of this.#held.splice(0)) listener(message);
    this.#listener = listener;
    return this.process;
  }
}

/** Drives the queue: starts what is ready, as many at once as allowed, until all stacks are in a terminal state. */
export function startRun(plan: RunPlan, hooks: RunHooks): Run {
  const queue = new ReadyQueue(plan.graph, plan.stacks, plan.direction);
  const running = new Map<string, StackProcess>();
  const early = new Map<string, EarlyStart>();
  /** Early processes that were not needed after all. */
  const ending = new Set<StackProcess>();
  const outcomes = new Map<string, StackOutcome>();
  let interrupts = 0;
  let finish: (outcomes: StackOutcome[]) => void;
  let reject: (reason: unknown) => void;
  const done = new Promise<StackOutcome[]>((resolved, rejected) => {
    finish = resolved;
    reject = rejected;
  });
  const { clock } = hooks;
  /** The first thing that a hook threw, such as a full disk under the journal: nothing new starts after it. */
  let broken: { thrown: unknown } | undefined;
  const guarded = (hook: () => void): void => {
    try {
      hook();
    } catch (thrown) {
      broken ??= { thrown };
    }
  };
  const emit = (event: RunEvent): void => guarded(() => hooks.emit(event));

  const settle = (outcome: StackOutcome): void => {
    guarded(() => hooks.settle?.(outcome));
    outcomes.set(outcome.stack, outcome);
    emit({ kind: "stack-finished", at: clock.now(), stack: outcome.stack, outcome });
  };
  const neverStarted = (stack: string, status: "skipped" | "cancelled", blame?: string): void => {
    const unneeded = early.get(stack);
    early.delete(stack);
    if (unneeded !== undefined) {
      unneeded.process.cancel();
      ending.add(unneeded.process);
    }
    settle({ stack, status, changes: {}, startedAt: undefined, finishedAt: clock.now(), ...(blame === undefined ? {} : { blame }) });
  };

  const finished = (stack: string, startedAt: number, result: WorkerResult): void => {
    running.delete(stack);
    const status = result.ok ? "succeeded" : result.error?.code === "E_CANCELLED" ? "cancelled" : "failed";
    const skipped = queue.finish(stack, status);
    settle({
      stack,
      status,
      changes: result.changes,
      startedAt,
      finishedAt: clock.now(),
      ...(result.outputs ? { outputs: result.outputs } : {}),
      ...(result.error ? { error: result.error } : {}),
      ...(result.inDoubt === true ? { inDoubt: true } : {}),
    });
    for (const other of skipped) neverStarted(other, "skipped", stack);
    if (plan.failFast && status === "failed") for (const other of queue.cancelPending()) neverStarted(other, "cancelled");
    advance();
  };

  const mayStart = (): boolean => interrupts === 0 && broken === undefined;

  /** What cannot even be started has failed, like what was. */
  const start = (stack: string, listener: (message: WorkerMessage) => void): StackProcess | undefined => {
    let child: StackProcess | undefined;
    guarded(() => {
      child = early.get(stack)?.release(listener) ?? hooks.start(stack, listener);
    });
    early.delete(stack);
    return child;
  };

  const advance = (): void => {
    if (broken !== undefined) for (const stack of queue.cancelPending()) neverStarted(stack, "cancelled");
    while (mayStart() && running.size < plan.concurrency) {
      const stack = queue.claim();
      if (stack === undefined) break;
      const startedAt = clock.now();
      emit({ kind: "stack-started", at: startedAt, stack });
      const listener = (message: WorkerMessage): void => {
        if (message.kind !== "result") emit({ ...message, at: clock.now(), stack });
      };
      // Without a synced line that it has started, it does not: a later run would not know that it is in doubt.
      const child = broken === undefined ? start(stack, listener) : undefined;
      if (child === undefined) {
        finished(stack, startedAt, { ok: false, changes: {}, error: { code: "E_CANCELLED", message: "not started" } });
        return;
      }
      running.set(stack, child);
      child.result.then(
        (result) => finished(stack, startedAt, result),
        (thrown: unknown) => {
          broken ??= { thrown };
          finished(stack, startedAt, { ok: false, changes: {}, error: { code: "E_INTERNAL", message: asError(thrown).message } });
        },
      );
    }
    while (mayStart() && early.size < (plan.ahead ?? 0) && running.size + early.size < plan.concurrency) {
      const stack = queue.upcoming(new Set(early.keys()));
      if (stack === undefined) break;
      guarded(() => early.set(stack, new EarlyStart((onMessage) => hooks.start(stack, onMessage))));
    }
    if (!queue.done()) return;
    const all = [...plan.stacks].flatMap((stack) => outcomes.get(stack) ?? []);
    emit({ kind: "run-finished", at: clock.now(), ok: all.every((outcome) => outcome.status === "succeeded") });
    void Promise.allSettled([...ending].map((child) => child.result)).then(() => (broken === undefined ? finish(all) : reject(broken.thrown)));
  };

  emit({ kind: "run-started", at: clock.now(), operation: plan.operation, stacks: [...plan.stacks] });
  advance();
  return {
    done,
    interrupt: () => {
      interrupts++;
      emit({ kind: "interrupted", at: clock.now(), how: interrupts === 1 ? "finishing" : "cancelling" });
      if (interrupts === 1) {
        for (const stack of queue.cancelPending()) neverStarted(stack, "cancelled");
        advance();
      } else for (const child of [...running.values(), ...ending]) child.cancel();
    },
  };
}
