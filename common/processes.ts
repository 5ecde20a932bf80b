import { systemErrorCode } from "./errors";

/** Whether a process with this number runs, anybody's. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // Another user's process is alive too.
    return systemErrorCode(cause) === "EPERM";
  }
}
