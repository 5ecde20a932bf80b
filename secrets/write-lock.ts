import * as fs from "node:fs";
import { HomelabError } from "../common/errors";
import { takeOwnerFile } from "../common/owner-file";

function acquire(file: string): void {
  // The first try removes the lock of a process that was killed, and the second takes it.
  if (takeOwnerFile(file) || takeOwnerFile(file)) return;
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
