/** What a run gets, and the events that it emits. */
import type { Clock } from "../../common/clock";
import type { StackGraph } from "../target/graph";
import type { StackProcess } from "../worker/stack-process";
import type { OutputValue, ResourceStep, WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import type { Direction, StackStatus } from "./queue";
import type { Retry, RetryPolicy } from "./retry";

/** The events of a run for its listeners (display, JSON, journal, report), in the order in which they happened. */
export type RunEvent =
  | { kind: "run-started"; at: number; operation: string; stacks: string[] }
  | { kind: "stack-started"; at: number; stack: string }
  | { kind: "step-started" | "step-done" | "step-failed"; at: number; stack: string; step: ResourceStep }
  | { kind: "diagnostic"; at: number; stack: string; severity: "info" | "warning" | "error"; urn: string; message: string }
  | { kind: "progress"; at: number; stack: string; urn: string; message: string }
  | { kind: "stack-retrying"; at: number; stack: string; retry: Retry }
  | { kind: "stack-finished"; at: number; stack: string; outcome: StackOutcome }
  | { kind: "interrupted"; at: number; how: "finishing" | "cancelling" }
  | { kind: "timed-out"; at: number; after: number }
  | { kind: "run-finished"; at: number; ok: boolean };

export interface StackOutcome {
  stack: string;
  status: Exclude<StackStatus, "pending" | "running" | "retrying">;
  /** Operation to count; `same` included. */
  changes: Record<string, number>;
  /** Milliseconds since the epoch; undefined where it never started. */
  startedAt: number | undefined;
  finishedAt: number;
  outputs?: Record<string, OutputValue>;
  error?: NonNullable<WorkerResult["error"]>;
  /** Tries that failed before this one. */
  retries?: readonly Retry[];
  /** Its worker was ended before it had a result: what it did is not known. */
  inDoubt?: boolean;
  /** Of a skipped stack: whose failure skipped it. */
  blame?: string;
  /** Why it ran, or why it did not have to. */
  why?: string;
  /** Of a preview: outputs of other stacks that were unknown to it; empty = complete. */
  unknowns?: string[];
}

export interface RunPlan {
  operation: string;
  graph: StackGraph;
  stacks: ReadonlySet<string>;
  direction: Direction;
  /** Milliseconds that stacks took in earlier runs, for the order. Default: all take the same. */
  times?: ReadonlyMap<string, number>;
  /** Stacks at once. */
  concurrency: number;
  /** Stop starting stacks after the first failure. */
  failFast: boolean;
  /**
   * How many stacks' processes are started early, while the stacks that they need still run, so that they are loaded when these end. Only for
   * operations that change nothing, and whose programs wait for other stacks' outputs by themselves. Default 0.
   */
  ahead?: number;
  /** Default: no failure is tried again. */
  retry?: RetryPolicy;
  /** Milliseconds that one try of a stack may take; then it is cancelled, and killed a minute later. Default: no limit. */
  stackTimeout?: number;
  /** Milliseconds for the whole run; then nothing new starts and what runs is cancelled. */
  runTimeout?: number;
}

/** Whether a stack has to run, decided after the stacks that it needs have ended. */
export interface Decision {
  run: boolean;
  /** For the report. */
  why: string;
}

export interface RunHooks {
  /** Asked once, when the stack's turn has come. Default: every stack runs. */
  decide?(stack: string): Decision;
  start(stack: string, onMessage: (message: WorkerMessage) => void): StackProcess;
  /** Called when a stack has ended, before the stacks that wait for it start; may add to the outcome. */
  settle?(outcome: StackOutcome): void;
  emit(event: RunEvent): void;
  clock: Clock;
  /** In [0, 1), for the jitter of waits. Default: Math.random. */
  random?: () => number;
}

/** The error of a stack that the run itself cancelled, such as at a time limit. */
export type Verdict = NonNullable<WorkerResult["error"]>;

/** A run under way. */
export interface Run {
  /** Rejects where a hook threw. Running stacks were finished first, and nothing new was started. */
  done: Promise<StackOutcome[]>;
  /** First call: nothing new starts, running stacks finish. Second: they are cancelled. Third: their processes are killed. */
  interrupt(): void;
  /** For when the target is gone: nothing new starts. Running stacks are cancelled and soon killed, fail for this reason and are in doubt. */
  abandon(reason: Verdict): void;
}
