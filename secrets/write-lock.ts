import * as fs from "node:fs";
import { HomelabError, systemErrorCode } from "../common/errors";
import { isProcessAlive } from "../common/processes";

/** Takes over a lock whose owner was killed. */
function removeStale(file: string): void {
  let pid: number;
  try {
    pid = Number(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return;
    throw cause;
  }
  if (Number.isInteger(pid) && pid > 0 && !isProcessAlive(pid)) fs.rmSync(file, { force: true });
}

function take(file: string): boolean {
  // Complete before it is visible: a lock without its owner's number could never be found stale.
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, String(process.pid), { mode: 0o600 });
  try {
    fs.linkSync(own, file);
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) === "EEXIST") return false;
    throw cause;
  } finally {
    fs.rmSync(own);
  }
}

function acquire(file: string): void {
  if (take(file)) return;
  removeStale(file);
  if (take(file)) return;
  throw new HomelabError("E_SECRETS_LOCKED", "another process is writing secrets; nothing was written", {
    subject: file,
    hint: `run it again when that one is done (its process is named in ${file})`,
  });
}

/** Runs work while no other process writes. @throws HomelabError E_SECRETS_LOCKED where one does */
export function whileLocked<T>(file: string, work: () => T): T {
  acquire(file);
  try {
    return work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

/** {@link whileLocked} for work that takes its time. */
export async function whileLockedAsync<T>(file: string, work: () => Promise<T>): Promise<T> {
  acquire(file);
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}
