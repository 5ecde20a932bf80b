// Not in files.ts, which loads before anything else and stays small.
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "./processes";

/** What a write that was cut (writeFileAtomic of files.ts) left: of which file, by which process. Undefined for the name of anything else. */
export function cutWrite(name: string): { file: string; pid: number } | undefined {
  const [, file, pid] = /^(.+)\.(\d+)\.\d+\.part$/s.exec(name) ?? [];
  return file === undefined ? undefined : { file, pid: Number(pid) };
}

/** Removes what writes of this file left that were cut: their processes have exited. */
export function removeCutWrites(file: string): void {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    const cut = cutWrite(name);
    if (cut?.file === path.basename(file) && !isProcessAlive(cut.pid)) fs.rmSync(path.join(folder, name), { force: true });
  }
}
