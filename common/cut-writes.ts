// Not in files.ts, which loads before anything else and stays small.
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "./processes";

/**
 * Parses the name of the part file that an interrupted writeFileAtomic (files.ts) leaves: the target file and the writer's process.
 * Undefined for another name.
 */
export function cutWrite(name: string): { file: string; pid: number } | undefined {
  const [, file, pid] = /^(.+)\.(\d+)\.\d+\.part$/s.exec(name) ?? [];
  return file === undefined ? undefined : { file, pid: Number(pid) };
}

/** Removes the part files that interrupted writes of this file left. Those of processes that still run stay. */
export function removeCutWrites(file: string): void {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    const cut = cutWrite(name);
    if (cut?.file === path.basename(file) && !isProcessAlive(cut.pid)) fs.rmSync(path.join(folder, name), { force: true });
  }
}
