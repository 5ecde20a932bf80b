import type { Session } from "../cli/session";
import { holdRunLock, runLocks } from "./run-lock";

/** Works while no other run of this machine can begin. @param waits as of {@link holdRunLock}, which throws the same */
export async function whileHeld<T>(runsDir: string, operation: string, session: Pick<Session, "err">, work: () => Promise<T>, waits?: boolean): Promise<T> {
  const lock = await holdRunLock(runLocks(runsDir), operation, session, waits);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
