/** How long a run still takes, by what its stacks took in earlier ones. Pure. */
import type { RunModel } from "./run-model";

/**
 * The time of the longest chain of stacks that have not ended. A stack without a history counts as the mean of the others. It is a lower
 * estimate, since it ignores how many stacks may run at the same time.
 * @param times milliseconds of earlier runs, by stack
 * @returns milliseconds; undefined where nothing is known of what is left, and where all of it has taken longer already
 */
export function timeLeft(model: RunModel, times: ReadonlyMap<string, number>, now: number): number | undefined {
  const rows = new Map(model.rows().map((row) => [row.stack, row]));
  const left = [...rows.values()].filter(({ outcome }) => outcome === undefined);
  const known = left.flatMap(({ stack }) => times.get(stack) ?? []);
  if (known.length === 0) return undefined;
  const mean = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const ends = new Map<string, number>();
  const endOf = (stack: string): number => {
    const seen = ends.get(stack);
    if (seen !== undefined) return seen;
    const row = rows.get(stack);
    if (row === undefined || row.outcome !== undefined) return 0;
    const elapsed = row.startedAt === undefined ? 0 : now - row.startedAt;
    const own = Math.max(0, (times.get(stack) ?? mean) - elapsed);
    const end = own + Math.max(0, ...model.before(stack).map(endOf));
    ends.set(stack, end);
    return end;
  };
  const longest = Math.max(...left.map(({ stack }) => endOf(stack)));
  return longest > 0 ? longest : undefined;
}

/** In whole minutes, since it is only an estimate. */
export const leftText = (ms: number): string => (ms < 60_000 ? "less than a minute left" : `about ${Math.round(ms / 60_000)} min left`);
