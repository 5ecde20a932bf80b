/** A file that says which process of this machine has something: a lock that no killed process keeps. */
import * as fs from "node:fs";
import { z } from "zod";
import { type Clock, systemClock } from "./clock";
import { systemErrorCode } from "./errors";
import { isSurelyGone, ownIdentity } from "./process-identity";
import { isProcessAlive } from "./processes";

/** A file that names no process (a full disk, an older version that was killed) belongs to none once it is this old: ours are never written in parts. */
const ABANDONED_MS = 1_000;

const identitySchema = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() });

/**
 * Who has it: not by its number alone, since a busy machine gives that of a killed process to another one within minutes, which
 * may live long. Where a system does not tell more, the number is all there is.
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
    // A third one has the place already.
    if (systemErrorCode(thrown) !== "EEXIST") throw thrown;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing that JSON can say is undefined.
    return undefined;
  }
}

/**
 * Whether the file is this process's now. It comes into its place whole, by a link, so that a process that is killed leaves none without its
 * name. The file of a process that is gone is moved away, by one of all that see it, for the next look to find the place free.
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
      // Another one may have moved it away and taken the place since we looked: then it is given back what is its own.
      if (fs.readFileSync(aside, "utf8") !== seen) putBack(aside, file);
      fs.rmSync(aside, { force: true });
    }
  } catch (thrown) {
    // Given back, or moved away by another one, since we looked.
    if (systemErrorCode(thrown) !== "ENOENT") throw thrown;
  }
  return false;
}
