import * as fs from "node:fs";
import { isProcessAlive } from "../../common/processes";

/** Waits until a process has ended. On Linux nobody may have waited for it yet: then it is a zombie. */
export async function untilEnded(pid: number): Promise<void> {
  const status = `/proc/${pid}/status`;
  const isZombie = (): boolean => fs.existsSync(status) && /^State:\s+Z/m.test(fs.readFileSync(status, "utf8"));
  while (isProcessAlive(pid) && !isZombie()) await new Promise((resolve) => setTimeout(resolve, 20));
}
