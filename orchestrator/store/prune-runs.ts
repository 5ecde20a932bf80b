/** Removes old runs, by age and number, but never a run that is still needed to know what is in doubt or how a stack's last run ended. */
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

/** Prefix of folders that are being removed. One that is left by an interrupted removal is not read as a run. */
const DYING = ".gone-";

/** @param place how many runs are newer */
function isOld({ facts }: RunRecord, place: number, now: number): boolean {
  if (place < RUN_LIMITS.least) return false;
  return place >= RUN_LIMITS.most || (facts !== undefined && now - Date.parse(facts.startedAt) > RUN_LIMITS.age);
}

/** Runs whose removal does not change the result of folding the others. */
function removable(records: readonly RunRecord[], needed: ReadonlySet<string>, now: number): RunRecord[] {
  /** Stacks that the remaining runs leave unsettled, so that the runs that settled them remain too. */
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
      // Another run has removed it meanwhile.
      if (systemErrorCode(cause) !== "ENOENT") throw cause;
    }
  }
  syncFolder(runsDir);
  for (const name of fs.readdirSync(runsDir).filter((entry) => entry.startsWith(DYING))) fs.rmSync(path.join(runsDir, name), { recursive: true, force: true });
}
