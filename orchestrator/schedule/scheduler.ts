import { asError } from "../../common/errors";
import type { StackProcess } from "../worker/stack-process";
import type { WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import { EarlyStart } from "./early-start";
import { isWell, ReadyQueue } from "./queue";
import { NO_RETRIES, Retries, type Retry } from "./retry";
import type { Decision, Run, RunEvent, RunHooks, RunPlan, StackOutcome, Verdict } from "./run-types";

/** Milliseconds that a cancelled stack has to come to a safe point before its processes are killed. */
const GRACE = 60_000;
/** The same where the target is gone, and the stack waits for answers that never come. */
const GRACE_WHEN_ABANDONED = 5_000;

/** A stack from its first start to its end. */
interface Work {
  readonly startedAt: number;
  attempt: number;
  readonly retries: Retry[];
  /** Missing while it starts, and while it waits for its next try. */
  process: StackProcess | undefined;
  waits: boolean;
  /** Ends the timers of this try, or the wait for the next. */
  timers: AbortController;
  /** The error that replaces its own, where the scheduler has cancelled it. */
  verdict: Verdict | undefined;
}

/**
 * Drives the queue: starts what is ready, as many at once as allowed, until all stacks have a final status. It acts when a process ends, a
 * timer ends or somebody interrupts, and does one thing at a time. Clock and random numbers are injected, so that a test controls both.
 */
export class Scheduler implements Run {
  readonly done: Promise<StackOutcome[]>;
  readonly #queue: ReadyQueue;
  readonly #retries: Retries;
  readonly #work = new Map<string, Work>();
  readonly #early = new Map<string, EarlyStart>();
  /** Early processes that were not needed after all. */
  readonly #ending = new Set<StackProcess>();
  readonly #outcomes = new Map<string, StackOutcome>();
  /** Why each stack runs, where there is a hook that decides it. */
  readonly #whys = new Map<string, string>();
  readonly #runTimer = new AbortController();
  #interrupts = 0;
  /** By --fail-fast, the run's time or its abandonment: nothing new starts. */
  #stopped = false;
  #abandoned = false;
  /** The first thing that a hook threw, such as a full disk under the journal: nothing new starts after it. */
  #broken: { thrown: unknown } | undefined;
  #closed = false;
  #busy = false;
  readonly #toDo: (() => void)[] = [];
  #settle: { resolve(outcomes: StackOutcome[]): void; reject(reason: unknown): void } = { resolve: () => undefined, reject: () => undefined };

  constructor(
    private readonly plan: RunPlan,
    private readonly hooks: RunHooks,
  ) {
    this.#queue = new ReadyQueue(plan.graph, plan.stacks, plan.direction, plan.times);
    this.#retries = new Retries(plan.retry ?? NO_RETRIES, hooks.random ?? Math.random);
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  begin(): void {
    this.#do(() => this.#begin());
  }

  interrupt(): void {
    this.#do(() => this.#interrupt());
  }

  /** Does one thing at a time: where a listener interrupts while it gets an event, the interrupt takes effect after that event. */
  #do(what: () => void): void {
    this.#toDo.push(what);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#toDo.shift(); next !== undefined; next = this.#toDo.shift()) {
      try {
        next();
      } catch (thrown) {
        // This is a bug of ours, so the run's promise rejects.
        this.#settle.reject(thrown);
      }
    }
    this.#busy = false;
  }

  abandon(reason: Verdict): void {
    this.#do(() => {
      if (this.#closed || this.#abandoned) return;
      this.#abandoned = true;
      this.#cancelRun(reason, GRACE_WHEN_ABANDONED);
    });
  }

  #begin(): void {
    this.#emit({ kind: "run-started", at: this.#now(), operation: this.plan.operation, stacks: [...this.plan.stacks] });
    const { runTimeout } = this.plan;
    if (runTimeout !== undefined) this.#after(runTimeout, this.#runTimer, () => this.#runTimedOut(runTimeout));
    this.#advance();
  }

  #interrupt(): void {
    if (this.#closed) {
      this.#cancelAll();
      return;
    }
    this.#interrupts++;
    this.#emit({ kind: "interrupted", at: this.#now(), how: this.#interrupts === 1 ? "finishing" : "cancelling" });
    if (this.#interrupts > 1) this.#cancelAll();
    this.#stopStarting();
    this.#advance();
  }

  #now(): number {
    return this.hooks.clock.now();
  }

  #guarded(hook: () => void): void {
    try {
      hook();
    } catch (thrown) {
      this.#broken ??= { thrown };
    }
  }

  #emit(event: RunEvent): void {
    this.#guarded(() => this.hooks.emit(event));
  }

  /** Calls `ring` once, unless the timer is aborted before. */
  #after(ms: number, timer: AbortController, ring: () => void): void {
    this.hooks.clock.sleep(ms, timer.signal).then(
      () => {
        this.#do(() => {
          if (!timer.signal.aborted) ring();
        });
      },
      (thrown: unknown) => {
        if (timer.signal.aborted) return;
        this.#broken ??= { thrown };
        this.#do(ring);
      },
    );
  }

  #runTimedOut(after: number): void {
    if (this.#closed) return;
    this.#emit({ kind: "timed-out", at: this.#now(), after });
    this.#cancelRun({ code: "E_RUN_TIMEOUT", class: "timeout", message: `the run did not end within ${after / 1000} s` }, GRACE);
  }

  #cancelRun(verdict: Verdict, grace: number): void {
    this.#stopped = true;
    for (const [stack, work] of this.#work) if (work.process !== undefined) this.#cancelFor(stack, work, verdict, grace);
    this.#stopStarting();
    this.#advance();
  }

  /** Asks the stack to stop at a safe point, and kills it where it does not. */
  #cancelFor(stack: string, work: Work, verdict: Verdict, grace = GRACE): void {
    work.verdict ??= verdict;
    this.#guarded(() => work.process?.cancel());
    this.#after(grace, work.timers, () => {
      if (this.#work.get(stack) === work) this.#guarded(() => work.process?.cancel());
    });
  }

  #cancelAll(): void {
    for (const { process } of this.#work.values()) this.#guarded(() => process?.cancel());
    for (const process of this.#ending) this.#guarded(() => process.cancel());
  }

  /** Cancels stacks that have not started. A stack that waits for another try ends with its last failure. */
  #stopStarting(): void {
    for (const [stack, work] of this.#work) {
      if (!work.waits) continue;
      const last = work.retries.at(-1);
      this.#finish(stack, work, { ok: false, changes: {}, error: { code: "E_STACK_FAILED", class: last?.class ?? "other", message: last?.message ?? "" } });
    }
    for (const stack of this.#queue.cancelPending()) this.#neverStarted(stack, "cancelled");
  }

  #settleStack(ended: StackOutcome): void {
    const why = this.#whys.get(ended.stack);
    const outcome = why === undefined ? ended : { ...ended, why };
    this.#guarded(() => this.hooks.settle?.(outcome));
    this.#outcomes.set(outcome.stack, outcome);
    this.#emit({ kind: "stack-finished", at: this.#now(), stack: outcome.stack, outcome });
  }

  #neverStarted(stack: string, status: "unaffected" | "skipped" | "cancelled", blame?: string): void {
    const unneeded = this.#early.get(stack);
    this.#early.delete(stack);
    if (unneeded !== undefined) this.#endUnneeded(unneeded.process);
    this.#settleStack({ stack, status, changes: {}, startedAt: undefined, finishedAt: this.#now(), ...(blame === undefined ? {} : { blame }) });
  }

  /** Ends the processes of a stack that was started early in vain. It has changed nothing that would have to be finished. */
  #endUnneeded(process: StackProcess): void {
    this.#ending.add(process);
    this.#guarded(() => process.cancel());
    const timer = new AbortController();
    this.#after(GRACE, timer, () => this.#guarded(() => process.cancel()));
    const over = (): void => timer.abort();
    process.result.then(over, over);
  }

  /** A try ended. */
  #ended(stack: string, work: Work, raw: WorkerResult): void {
    work.timers.abort();
    work.process = undefined;
    const result = raw.ok || work.verdict === undefined ? raw : { ...raw, error: work.verdict, ...(this.#abandoned ? { inDoubt: true } : {}) };
    const { error } = result;
    // A stack in doubt is not tried again: the next run looks first at what its dead worker has done.
    const delay = error === undefined || result.inDoubt === true || !this.#mayStart() ? undefined : this.#retries.delayAfter(work.attempt, error.class);
    if (error === undefined || delay === undefined) this.#finish(stack, work, result);
    else {
      const retry: Retry = { attempt: work.attempt, class: error.class ?? "other", message: error.message, delay };
      work.retries.push(retry);
      work.waits = true;
      this.#queue.suspend(stack);
      this.#emit({ kind: "stack-retrying", at: this.#now(), stack, retry });
      work.timers = new AbortController();
      this.#after(delay, work.timers, () => {
        this.#queue.wake(stack);
        this.#advance();
      });
    }
    this.#advance();
  }

  #finish(stack: string, work: Work, result: WorkerResult): void {
    work.timers.abort();
    this.#work.delete(stack);
    const status = result.ok ? "succeeded" : result.error?.code === "E_CANCELLED" ? "cancelled" : "failed";
    const skipped = this.#queue.finish(stack, status);
    this.#settleStack({
      stack,
      status,
      changes: result.changes,
      startedAt: work.startedAt,
      finishedAt: this.#now(),
      ...(result.outputs ? { outputs: result.outputs } : {}),
      ...(result.error ? { error: result.error } : {}),
      ...(work.retries.length > 0 ? { retries: work.retries } : {}),
      ...(result.inDoubt === true ? { inDoubt: true } : {}),
    });
    for (const other of skipped) this.#neverStarted(other, "skipped", stack);
    if (!this.plan.failFast || status !== "failed") return;
    this.#stopped = true;
    this.#stopStarting();
  }

  #mayStart(): boolean {
    return this.#interrupts === 0 && !this.#stopped && this.#broken === undefined;
  }

  #running(): number {
    return [...this.#work.values()].filter(({ process }) => process !== undefined).length;
  }

  #advance(): void {
    if (this.#closed) return;
    if (this.#broken !== undefined) this.#stopStarting();
    while (this.#mayStart() && this.#running() < this.plan.concurrency) {
      const stack = this.#queue.claim();
      if (stack === undefined) break;
      if (this.#hasToRun(stack)) this.#start(stack);
    }
    while (this.#mayStart() && this.#early.size < (this.plan.ahead ?? 0) && this.#running() + this.#early.size < this.plan.concurrency) {
      const stack = this.#queue.upcoming(new Set(this.#early.keys()));
      if (stack === undefined) break;
      this.#guarded(() => this.#early.set(stack, new EarlyStart((onMessage) => this.hooks.start(stack, onMessage))));
    }
    if (this.#broken !== undefined) this.#stopStarting();
    if (this.#queue.done()) this.#close();
  }

  /** Whether the stack has to run. Where it has not, it ends here as unaffected. */
  #hasToRun(stack: string): boolean {
    if (this.#work.has(stack) || this.hooks.decide === undefined) return true;
    let decision: Decision | undefined;
    this.#guarded(() => {
      decision = this.hooks.decide?.(stack);
    });
    // The hook threw: the stack is handled like all that may not start any more.
    if (decision === undefined) return true;
    this.#whys.set(stack, decision.why);
    if (decision.run) return true;
    this.#queue.finish(stack, "unaffected");
    this.#neverStarted(stack, "unaffected");
    return false;
  }

  #start(stack: string): void {
    const again = this.#work.get(stack);
    const work: Work = again ?? {
      startedAt: this.#now(),
      attempt: 0,
      retries: [],
      process: undefined,
      waits: false,
      timers: new AbortController(),
      verdict: undefined,
    };
    work.attempt++;
    work.waits = false;
    work.timers = new AbortController();
    this.#work.set(stack, work);
    if (again === undefined) this.#emit({ kind: "stack-started", at: work.startedAt, stack });
    const listener = (message: WorkerMessage): void => {
      if (message.kind !== "result") this.#emit({ ...message, at: this.#now(), stack });
    };
    // It does not start unless the journal says so: otherwise a later run would not know that it is in doubt.
    const early = this.#early.get(stack);
    this.#early.delete(stack);
    if (this.#broken === undefined)
      this.#guarded(() => {
        work.process = early?.release(listener) ?? this.hooks.start(stack, listener);
      });
    if (work.process === undefined) {
      if (early !== undefined) this.#endUnneeded(early.process);
      // A stack whose process could not be started ends as cancelled; the run then rejects with the hook's error.
      this.#finish(stack, work, { ok: false, changes: {}, error: { code: "E_CANCELLED", class: "cancelled", message: "not started" } });
      return;
    }
    const { stackTimeout } = this.plan;
    if (stackTimeout !== undefined)
      this.#after(stackTimeout, work.timers, () =>
        this.#cancelFor(stack, work, { code: "E_STACK_TIMEOUT", class: "timeout", message: `the stack did not end within ${stackTimeout / 1000} s` }),
      );
    work.process.result.then(
      (result) => this.#do(() => this.#ended(stack, work, result)),
      (thrown: unknown) => {
        this.#broken ??= { thrown };
        this.#do(() => this.#ended(stack, work, { ok: false, changes: {}, error: { code: "E_INTERNAL", class: "other", message: asError(thrown).message } }));
      },
    );
  }

  #close(): void {
    this.#closed = true;
    this.#runTimer.abort();
    const all = [...this.plan.stacks].flatMap((stack) => this.#outcomes.get(stack) ?? []);
    this.#emit({ kind: "run-finished", at: this.#now(), ok: all.every(({ status }) => isWell(status)) });
    void Promise.allSettled([...this.#ending].map((process) => process.result)).then(() =>
      this.#broken === undefined ? this.#settle.resolve(all) : this.#settle.reject(this.#broken.thrown),
    );
  }
}
