/** Locks of the DIY backend: list, write, list again (engine-contract G1). Not atomic, by the design of that layout. */
import { randomUUID } from "node:crypto";
import * as os from "node:os";
import { ENV, readEnv } from "../../common/env";
import { type LockFile, lockFileSchema } from "../../common/lock-file";
import { isSurelyGone, ownIdentity } from "../../common/process-identity";
import { isProcessAlive } from "../../common/processes";
import { CliError } from "../errors";
import type { Bucket } from "./bucket";

const folderOf = (project: string, stack: string): string => `.pulumi/locks/organization/${project}/${stack}`;

/** Whether the lock's holder was a process of this machine that has exited. */
const isDead = (lock: LockFile): boolean => lock.hostname === os.hostname() && lock.process !== undefined && isSurelyGone({ pid: lock.pid, ...lock.process });

function parseLock(text: string | undefined): LockFile | undefined {
  try {
    return lockFileSchema.parse(JSON.parse(text ?? ""));
  } catch {
    // Half written, or of another form: it is still a lock, but its holder is unknown.
    return undefined;
  }
}

const holderOf = ({ username, hostname, pid, timestamp }: LockFile): string => `${username}@${hostname} (pid ${pid}) at ${timestamp}`;

interface Held {
  key: string;
  /** undefined where it cannot be read. */
  lock: LockFile | undefined;
}

async function describe(bucket: Bucket, { key, lock }: Held): Promise<string> {
  if (lock === undefined) return `  ${bucket.url(key)}: its holder cannot be read`;
  // A lock of the CLI has only the process number. That no process has this number now is just a hint: the holder may be in a container.
  const gone = lock.hostname === os.hostname() && !isProcessAlive(lock.pid) ? " (no process of this host has that number now)" : "";
  return `  ${bucket.url(key)}: created by ${holderOf(lock)}${gone}`;
}

async function refuse(bucket: Bucket, held: readonly Held[], stack: string): Promise<never> {
  const lines: string[] = [];
  for (const one of held) lines.push(await describe(bucket, one));
  const command = readEnv(ENV.unlockCommand)?.replaceAll("<stack>", stack) ?? "pulumi cancel";
  throw new CliError(
    `the stack is currently locked by ${held.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`${command}\`.\n${lines.join("\n")}`,
  );
}

async function locksIn(bucket: Bucket, folder: string): Promise<Held[]> {
  const held: Held[] = [];
  for (const name of await bucket.list(folder)) {
    const text = await bucket.read(`${folder}/${name}`);
    // A lock that was released between the listing and the reading is not held.
    if (text !== undefined) held.push({ key: `${folder}/${name}`, lock: parseLock(text) });
  }
  return held;
}

/** Drops the locks of processes that are surely gone. @returns those that hold */
async function takeOver(bucket: Bucket, held: readonly Held[], stack: string, say: (line: string) => void): Promise<Held[]> {
  const holding: Held[] = [];
  for (const one of held) {
    if (one.lock === undefined || !isDead(one.lock)) {
      holding.push(one);
      continue;
    }
    await bucket.remove(one.key);
    say(`took over the lock of ${stack}: it was held by ${holderOf(one.lock)}, a process of this host that is not running any more`);
  }
  return holding;
}

function ownLock(): LockFile {
  const { pid, ...identity } = ownIdentity() ?? { pid: process.pid };
  return {
    pid,
    username: os.userInfo().username,
    hostname: os.hostname(),
    timestamp: new Date().toISOString(),
    ...("bootId" in identity ? { process: identity } : {}),
  };
}

const toStderr = (line: string): void => void process.stderr.write(`warning: ${line}\n`);

/**
 * Takes the stack's lock; the returned function gives it back. A lock whose holder is a dead process of this machine is taken over.
 * @param say takes the message about a lock that was taken over
 * @throws CliError that names who holds it, where and since when
 */
export async function lockStack(bucket: Bucket, project: string, stack: string, say = toStderr): Promise<() => Promise<void>> {
  const folder = folderOf(project, stack);
  const holding = await takeOver(bucket, await locksIn(bucket, folder), stack, say);
  if (holding.length > 0) await refuse(bucket, holding, stack);
  const own = `${folder}/${randomUUID()}.json`;
  let others: Held[];
  try {
    await bucket.write(own, JSON.stringify(ownLock()));
    others = (await locksIn(bucket, folder)).filter(({ key }) => key !== own);
  } catch (thrown) {
    await bucket.remove(own).catch(() => say(`a lock of this process may be left at ${bucket.url(own)}`));
    throw thrown;
  }
  if (others.length > 0) {
    await bucket.remove(own);
    await refuse(bucket, others, stack);
  }
  return () => bucket.remove(own);
}

/** Removes every lock of a stack, whoever holds it. */
export async function breakLocks(bucket: Bucket, project: string, stack: string): Promise<void> {
  const folder = folderOf(project, stack);
  for (const name of await bucket.list(folder)) await bucket.remove(`${folder}/${name}`);
}

export async function isLocked(bucket: Bucket, project: string, stack: string): Promise<boolean> {
  return (await bucket.list(folderOf(project, stack))).length > 0;
}
