/** How long stacks took in earlier runs, from their journals. The order of a run depends on it. */
import { operationOf, type RunRecord } from "./run-records";

/** How many of the newest runs of a stack count: what it is built from changes over time. */
const COUNTED = 3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;

/** Milliseconds of a stack's run, where it ended well and the clock did not jump back meanwhile. */
function timesOf({ lines }: RunRecord): [stack: string, ms: number][] {
  const started = new Map<string, number>();
  return lines.flatMap(({ kind, stack, status, at }): [string, number][] => {
    if (stack === undefined || typeof at !== "number") return [];
    if (kind === "stack-started") started.set(stack, at);
    const since = started.get(stack);
    return kind === "stack-finished" && status === "succeeded" && since !== undefined && at >= since ? [[stack, at - since]] : [];
  });
}

/**
 * @param records the oldest first
 * @returns by stack, the median of its last runs of that operation; without those that have none
 */
export function stackTimes(records: readonly RunRecord[], operation: string): Map<string, number> {
  const found = new Map<string, number[]>();
  for (const record of records) {
    if (operationOf(record) !== operation) continue;
    for (const [stack, ms] of timesOf(record)) found.set(stack, [...(found.get(stack) ?? []), ms].slice(-COUNTED));
  }
  return new Map([...found].map(([stack, all]) => [stack, median(all)]));
}
