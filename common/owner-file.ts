/** A file that says which process of this machine has something: a lock that no killed process keeps. */
import * as fs from "node:fs";
import { type Clock, systemClock } from "./clock";
import { systemErrorCode } from "./errors";
import { isProcessAlive } from "./processes";

/** A file that holds no process's number (a full disk, an older version that was killed) belongs to no process once it is this old: ours are never written in parts. */
const ABANDONED_MS = 1_000;

function isAbandoned(file: string, clock: Clock): boolean {
  const text = fs.readFileSync(file, "utf8").trim();
  return /^[1-9]\d*$/.test(text) ? !isProcessAlive(Number(text)) : clock.now() - fs.statSync(file).mtimeMs > ABANDONED_MS;
}

/**
 * Whether the file is this process's now. It comes into its place whole, by a link, so that a process that is killed leaves none without its
 * number. The file of a process that is gone is moved away, by one of all that see it, for the next look to find the place free.
 */
export function takeOwnerFile(file: string, clock: Clock = systemClock): boolean {
  const aside = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(aside, String(process.pid), { mode: 0o600 });
    fs.linkSync(aside, file);
    return true;
  } catch (thrown) {
    if (systemErrorCode(thrown) !== "EEXIST") throw thrown;
  } finally {
    fs.rmSync(aside, { force: true });
  }
  try {
    if (isAbandoned(file, clock)) {
      fs.renameSync(file, aside);
      fs.rmSync(aside, { force: true });
    }
  } catch (thrown) {
    // Given back, or moved away by another one, since we looked.
    if (systemErrorCode(thrown) !== "ENOENT") throw thrown;
  }
  return false;
}
