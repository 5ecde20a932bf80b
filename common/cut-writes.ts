// Not in files.ts, which loads before anything else and stays small.
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "./processes";

/** Removes what writes of this file (writeFileAtomic of files.ts) left that were cut: their processes have exited. */
export function removeCutWrites(file: string): void {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    const [, pid] = /^\.(\d+)\.\d+\.part$/.exec(name.startsWith(path.basename(file)) ? name.slice(path.basename(file).length) : "") ?? [];
    if (pid !== undefined && !isProcessAlive(Number(pid))) fs.rmSync(path.join(folder, name), { force: true });
  }
}
