import type { Run, RunHooks, RunPlan } from "./run-types";
import { Scheduler } from "./scheduler";

export type { Run, RunEvent, RunHooks, RunPlan, StackOutcome } from "./run-types";

/** Starts a run. Only its end can be awaited. */
export function startRun(plan: RunPlan, hooks: RunHooks): Run {
  const scheduler = new Scheduler(plan, hooks);
  scheduler.begin();
  return { done: scheduler.done, interrupt: () => scheduler.interrupt(), abandon: (reason) => scheduler.abandon(reason) };
}
