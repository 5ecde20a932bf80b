/**
 * Watches whether the lab of a run still runs. Otherwise each step of a run whose lab has ended would wait for an answer until its own
 * time limit, and the failures (refused connections) would not name the cause.
 */
import type { Clock } from "../../common/clock";
import type { Run, Verdict } from "../schedule/run-types";
import { type LabFile, labHasEnded } from "../target/lab-client";
import type { WorkerResult } from "../worker/worker-protocol";

/** Milliseconds between two looks. */
const LOOK_AGAIN = 1_000;

const LAB_ENDED: Verdict = {
  code: "E_LAB_DOWN",
  class: "other",
  message: "the lab ended while the run was under way",
  hint: "start it again with `npx homelab lab start`, then run the same command again: it reads what is there, and goes on from the saved state",
};

/** Where the lab has ended, that is the cause of a failure. What was done is in doubt, since the lab keeps only its last snapshot. */
export async function withLabEnd(lab: LabFile | undefined, ended: WorkerResult): Promise<WorkerResult> {
  if (ended.ok || lab === undefined || !(await labHasEnded(lab))) return ended;
  return { ...ended, error: LAB_ENDED, inDoubt: true };
}

/** Abandons the run when its lab has ended. @returns ends the watch */
export function watchLab(lab: LabFile | undefined, clock: Clock, run: Pick<Run, "abandon">): () => void {
  if (lab === undefined) return () => undefined;
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleep(LOOK_AGAIN, over.signal);
      if (await labHasEnded(lab)) {
        run.abandon(LAB_ENDED);
        return;
      }
    }
  };
  // Only the end of the watch rejects it.
  watch().catch(() => undefined);
  return () => over.abort();
}
