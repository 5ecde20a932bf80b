/** Mounts of test hosts, and the removal of what killed runs left. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";

/** Mount points below a folder, the innermost first. The kernel writes blanks and some other characters as octal numbers: proc_pid_mounts(5). */
export function mountsBelow(folder: string): string[] {
  const targets = fs
    .readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replace(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  return targets.filter((target) => target.startsWith(`${folder}/`)).reverse();
}

/**
 * Removes the folders `<prefix><process id>-…` whose process has ended, with what is mounted below them.
 * @param more is called for each of them before it is removed
 */
export async function removeAbandoned(within: string, prefix: string, more: (folder: string) => Promise<void>): Promise<void> {
  for (const name of fs.readdirSync(within)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined || isProcessAlive(Number(pid))) continue;
    const folder = path.join(within, name);
    for (const target of mountsBelow(folder)) execFileSync("umount", ["--lazy", target]);
    await more(folder);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
