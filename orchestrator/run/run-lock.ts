/**
 * One run that writes at a time, for each site and machine. (Between machines, the locks of the stacks' own states hold.)
 *
 * Each contender writes a file (its claim), then reads all of them. A contender that sees no other claim holds the lock. One that sees a holder
 * gives up. Of several that decide at the same time, the one with the earliest claim goes on. The file of a killed holder names a process that
 * is gone, and does not count. So no step needs a lock of its own.
 */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { answered } from "../../common/answer";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { isSurelyGone, ownIdentity } from "../../common/process-identity";
import type { Session } from "../cli/session";
import { beforeRun } from "../store/run-folder";
import { besideRuns } from "../target/site";

const claimSchema = z.object({
  state: z.enum(["deciding", "held"]),
  id: z.string(),
  operation: z.string(),
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  since: z.string(),
  process: z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() }).optional(),
});
type Claim = z.infer<typeof claimSchema>;

/** Milliseconds between two looks at the claims: while several are deciding, or while waiting for a run. */
const LOOK_AGAIN = 100;

export interface RunLock {
  release(): void;
}

const fileOf = (dir: string, { id }: Claim): string => path.join(dir, `${id}.json`);

function readClaim(file: string): Claim | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (cause) {
    // It was released since the folder was read.
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
  return answered(claimSchema, text, { from: file, code: "E_RUN_CLAIM", hint: "where no run is under way, delete that file" });
}

/** Claims of other processes that are alive, in order. Those of dead processes are removed. */
function livingClaims(dir: string, own: Claim, say: (line: string) => void): Claim[] {
  const living: Claim[] = [];
  for (const name of fs.readdirSync(dir).filter((entry) => entry.endsWith(".json") && entry !== `${own.id}.json`)) {
    const claim = readClaim(path.join(dir, name));
    if (claim === undefined) continue;
    if (claim.process === undefined || !isSurelyGone(claim.process)) {
      living.push(claim);
      continue;
    }
    fs.rmSync(fileOf(dir, claim), { force: true });
    if (claim.state === "held") say(`note: the ${claim.operation} of ${holderOf(claim)} was killed; its hold on the runs is taken over\n`);
  }
  return living;
}

const holderOf = ({ user, host, pid, since }: Claim): string => `${user}@${host} (process ${pid}, since ${since})`;
const precedes = (a: Claim, b: Claim): boolean => (a.since === b.since ? a.id < b.id : a.since < b.since);

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));

/** One attempt. @returns the claim of the holder, or undefined where the lock is ours now */
async function tryToHold(dir: string, own: Claim, say: (line: string) => void): Promise<Claim | undefined> {
  beforeRun(dir, () => writeFileAtomic(fileOf(dir, own), JSON.stringify(own)));
  for (;;) {
    const others = livingClaims(dir, own, say);
    const ahead = others.find(({ state }) => state === "held") ?? others.find((other) => precedes(other, own));
    if (ahead !== undefined) {
      fs.rmSync(fileOf(dir, own), { force: true });
      return ahead;
    }
    if (others.length === 0) {
      writeFileAtomic(fileOf(dir, own), JSON.stringify({ ...own, state: "held" }));
      return undefined;
    }
    // All others are later claims that are still deciding. Each sees this claim and gives up, or looked before it was written and holds.
    await wait();
  }
}

/** Folder of the site's claims. */
export const runLocks = (runsDir: string): string => besideRuns(runsDir, "run-locks");

/**
 * @param dir of the site's claims
 * @param waits whether to wait for a run that holds, instead of refusing; undefined for a command that has no --wait
 * @throws HomelabError E_RUN_HELD, which names the run that holds; E_RUN_FOLDER where the lock cannot be written
 */
export async function holdRunLock(dir: string, operation: string, session: Pick<Session, "err">, waits?: boolean): Promise<RunLock> {
  beforeRun(dir, () => fs.mkdirSync(dir, { recursive: true, mode: 0o700 }));
  const identity = ownIdentity();
  const facts = { operation, user: os.userInfo().username, host: os.hostname(), pid: process.pid, ...(identity === undefined ? {} : { process: identity }) };
  let told = "";
  for (;;) {
    const own: Claim = { state: "deciding", id: randomUUID(), since: new Date().toISOString(), ...facts };
    const holder = await tryToHold(dir, own, session.err);
    if (holder === undefined) return { release: () => fs.rmSync(fileOf(dir, own), { force: true }) };
    const held = `homelab ${holder.operation} of ${holderOf(holder)} is under way`;
    if (waits !== true)
      throw new HomelabError("E_RUN_HELD", held, { subject: dir, hint: `wait for its end${waits === undefined ? "" : ", or add --wait to do so here"}` });
    if (told !== holder.id) session.err(`note: ${held}; waiting for its end\n`);
    told = holder.id;
    await wait();
  }
}
