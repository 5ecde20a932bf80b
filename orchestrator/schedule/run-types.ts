/** What a run is given, and what it tells. */
import type { Clock } from "../../common/clock";
import type { StackGraph } from "../target/graph";
import type { StackProcess } from "../worker/stack-process";
import type { OutputValue, ResourceStep, WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import type { Direction, StackStatus } from "./queue";
import type { Retry, RetryPolicy } from "./retry";

/** What a run tells its listeners (display, JSON events, journal, report), in the order in which it happened. */
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
  /** Of a preview: upstream values it had to leave open; empty = complete. */
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
   * Stacks whose processes are started while what they need still runs, to be loaded by then. For operations whose programs wait
   * for their upstream by themselves, and which change nothing. Default 0.
   */
  ahead?: number;
  /** Default: no failure is tried again. */
  retry?: RetryPolicy;
  /** Milliseconds that one try of a stack may take; then it is cancelled, and ended a minute later. Default: as long as it likes. */
  stackTimeout?: number;
  /** Milliseconds for the whole run; then nothing new starts and what runs is cancelled. */
  runTimeout?: number;
}

/** Whether a stack has to run, now that all that it needs has. */
export interface Decision {
  run: boolean;
  /** For the report. */
  why: string;
}

export interface RunHooks {
  /** Asked once, when the stack's turn has come. Default: every stack runs. */
  decide?(stack: string): Decision;
  start(stack: string, onMessage: (message: WorkerMessage) => void): StackProcess;
  /** Called when a stack was finished, before what waits for it starts; may add to the outcome. */
  settle?(outcome: StackOutcome): void;
  emit(event: RunEvent): void;
  clock: Clock;
  /** In [0, 1), for the jitter of waits. Default: Math.random. */
  random?: () => number;
}

/** Why a stack that was cancelled failed. */
export type Verdict = NonNullable<WorkerResult["error"]>;

/** A run under way. */
export interface Run {
  /** Rejects where a hook threw: what ran was finished first, and nothing new was started. */
  done: Promise<StackOutcome[]>;
  /** First call: nothing new starts, running stacks finish. Second: they are cancelled. Third: they are ended. */
  interrupt(): void;
  /** What the stacks work on is gone: nothing new starts, what runs is cancelled and soon ended, fails for this reason and is in doubt. */
  abandon(reason: Verdict): void;
}
