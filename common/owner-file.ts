/** A lock file that names the process of this machine which owns it. A process that was killed does not keep it. */
import * as fs from "node:fs";
import { z } from "zod";
import { type Clock, systemClock } from "./clock";
import { systemErrorCode } from "./errors";
import { isSurelyGone, ownIdentity } from "./process-identity";
import { isProcessAlive } from "./processes";

/**
 * A file that names no process counts as abandoned once it is this old. A full disk or a killed older version leaves one; this version
 * never writes a file in parts.
 */
const ABANDONED_MS = 1_000;

const identitySchema = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() });

/**
 * The file's content. The process number alone does not identify the owner: a busy machine gives the number of a killed process to
 * another one within minutes. On a system that tells no more, it is only the number.
 */
const ownName = (): string => JSON.stringify(ownIdentity() ?? process.pid);

function isAbandoned(file: string, raw: string, clock: Clock): boolean {
  const text = raw.trim();
  if (/^[1-9]\d*$/.test(text)) return !isProcessAlive(Number(text));
  const owner = identitySchema.safeParse(jsonOf(text)).data;
  return owner === undefined ? clock.now() - fs.statSync(file).mtimeMs > ABANDONED_MS : isSurelyGone(owner);
}

function putBack(aside: string, file: string): void {
  try {
    fs.linkSync(aside, file);
  } catch (thrown) {
    // A third process has taken the file's place already.
    if (systemErrorCode(thrown) !== "EEXIST") throw thrown;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON has no undefined, so this cannot be a parsed value.
    return undefined;
  }
}

/**
 * Whether this process owns the file now. The file is written elsewhere and linked into its place, so that a process that is killed
 * never leaves one without its name. The file of a process that has exited is removed, and false is returned: the next call can take it.
 */
export function takeOwnerFile(file: string, clock: Clock = systemClock): boolean {
  const aside = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(aside, ownName(), { mode: 0o600 });
    fs.linkSync(aside, file);
    return true;
  } catch (thrown) {
    if (systemErrorCode(thrown) !== "EEXIST") throw thrown;
  } finally {
    fs.rmSync(aside, { force: true });
  }
  try {
    const seen = fs.readFileSync(file, "utf8");
    if (isAbandoned(file, seen, clock)) {
      fs.renameSync(file, aside);
      // Since we looked, another process may have removed that file and put its own there: then we put its file back.
      if (fs.readFileSync(aside, "utf8") !== seen) putBack(aside, file);
      fs.rmSync(aside, { force: true });
    }
  } catch (thrown) {
    // Since we looked, the owner has released the file, or another process has removed it.
    if (systemErrorCode(thrown) !== "ENOENT") throw thrown;
  }
  return false;
}
