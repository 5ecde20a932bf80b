/** Old runs go, by age and number; never one that still says what is in doubt or how a stack stands. */
import * as fs from "node:fs";
import * as path from "node:path";
import { systemErrorCode } from "../../common/errors";
import { syncFolder } from "../../common/files";
import { opens, type RunsFold } from "./run-fold";
import { sweepUnborn } from "./run-folder";
import { mayHaveChanged, type RunRecord, succeededIn } from "./run-records";

const DAY = 24 * 3_600_000;

export const RUN_LIMITS = {
  /** More than these are removed, the oldest first. */
  most: 100,
  /** Milliseconds; older ones are removed. */
  age: 90 * DAY,
  /** The newest that stay however old they are: a clock may jump. */
  least: 10,
} as const;

/** A removal that was cut leaves this: no reader takes it for a run. */
const DYING = ".gone-";

/** @param place how many runs are newer */
function isOld({ facts }: RunRecord, place: number, now: number): boolean {
  if (place < RUN_LIMITS.least) return false;
  return place >= RUN_LIMITS.most || (facts !== undefined && now - Date.parse(facts.startedAt) > RUN_LIMITS.age);
}

/** Those whose absence changes nothing of what the others say together. */
function removable(records: readonly RunRecord[], needed: ReadonlySet<string>, now: number): RunRecord[] {
  /** What runs that stay leave open, so that who settled it stays too. */
  const open = new Set<string>();
  return records.filter((record, i) => {
    const settles = mayHaveChanged(record) && succeededIn(record).some((stack) => open.has(stack));
    if (!settles && !needed.has(record.id) && isOld(record, records.length - 1 - i, now)) return true;
    if (mayHaveChanged(record)) for (const stack of opens(record)) open.add(stack);
    return false;
  });
}

/** @param now milliseconds since the epoch */
export function pruneRuns(runsDir: string, records: readonly RunRecord[], { needed }: RunsFold, now: number): void {
  sweepUnborn(runsDir);
  for (const { id, dir } of removable(records, needed, now)) {
    try {
      fs.renameSync(dir, path.join(runsDir, `${DYING}${id}`));
    } catch (cause) {
      // Another run prunes, too.
      if (systemErrorCode(cause) !== "ENOENT") throw cause;
    }
  }
  syncFolder(runsDir);
  for (const name of fs.readdirSync(runsDir).filter((entry) => entry.startsWith(DYING))) fs.rmSync(path.join(runsDir, name), { recursive: true, force: true });
}
