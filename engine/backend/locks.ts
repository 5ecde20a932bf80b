/** Locks of the DIY backend: list, write, list again (engine-contract G1). Not atomic, by the design of that layout. */
import { randomUUID } from "node:crypto";
import * as os from "node:os";
import { z } from "zod";
import { isProcessAlive } from "../../common/processes";
import { CliError } from "../cli/cli-error";
import type { Bucket } from "./bucket";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });

const folderOf = (project: string, stack: string): string => `.pulumi/locks/organization/${project}/${stack}`;

/** Whether a process of this host is there no more. Of other hosts nobody knows. */
function isGone({ pid, hostname }: z.infer<typeof lockSchema>): boolean {
  return hostname === os.hostname() && !isProcessAlive(pid);
}

function parseLock(text: string | undefined): z.infer<typeof lockSchema> | undefined {
  try {
    return lockSchema.parse(JSON.parse(text ?? ""));
  } catch {
    // Half written, or not a lock of ours: it is still a lock, only nothing can be said of its holder.
    return undefined;
  }
}

async function describe(bucket: Bucket, key: string): Promise<string> {
  const lock = parseLock(await bucket.read(key));
  if (lock === undefined) return `  ${bucket.url(key)}: by whom cannot be read`;
  const { username, hostname, pid, timestamp } = lock;
  const gone = isGone(lock) ? " (that process is not running any more)" : "";
  return `  ${bucket.url(key)}: created by ${username}@${hostname} (pid ${pid}) at ${timestamp}${gone}`;
}

async function refuse(bucket: Bucket, keys: string[]): Promise<never> {
  const lines: string[] = [];
  for (const key of keys) lines.push(await describe(bucket, key));
  throw new CliError(
    `the stack is currently locked by ${keys.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n${lines.join("\n")}`,
  );
}

/** Takes the stack's lock; the returned function gives it back. @throws CliError that names who holds it, where and since when */
export async function lockStack(bucket: Bucket, project: string, stack: string): Promise<() => Promise<void>> {
  const folder = folderOf(project, stack);
  const held = async (): Promise<string[]> => (await bucket.list(folder)).map((name) => `${folder}/${name}`);
  const before = await held();
  if (before.length > 0) await refuse(bucket, before);
  const own = `${folder}/${randomUUID()}.json`;
  await bucket.write(own, JSON.stringify({ pid: process.pid, username: os.userInfo().username, hostname: os.hostname(), timestamp: new Date().toISOString() }));
  const others = (await held()).filter((key) => key !== own);
  if (others.length > 0) {
    await bucket.remove(own);
    await refuse(bucket, others);
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
