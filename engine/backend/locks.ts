/** Locks of the DIY backend: list, write, list again (engine-contract G1). Not atomic, by the design of that layout. */
import { randomUUID } from "node:crypto";
import * as os from "node:os";
import { z } from "zod";
import { CliError } from "../cli/cli-error";
import type { Bucket } from "./file-bucket";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });

const folderOf = (project: string, stack: string): string => `.pulumi/locks/organization/${project}/${stack}`;

function describe(bucket: Bucket, key: string): string {
  const text = bucket.read(key);
  const parsed = text === undefined ? undefined : lockSchema.safeParse(JSON.parse(text));
  if (parsed?.success !== true) return `  ${bucket.url(key)}`;
  const { username, hostname, pid, timestamp } = parsed.data;
  return `  ${bucket.url(key)}: created by ${username}@${hostname} (pid ${pid}) at ${timestamp}`;
}

function refuse(bucket: Bucket, keys: string[]): never {
  throw new CliError(
    `the stack is currently locked by ${keys.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n${keys.map((key) => describe(bucket, key)).join("\n")}`,
  );
}

/** Takes the stack's lock; the returned function gives it back. @throws CliError where another holds it */
export function lockStack(bucket: Bucket, project: string, stack: string): () => void {
  const folder = folderOf(project, stack);
  const held = (): string[] => bucket.list(folder).map((name) => `${folder}/${name}`);
  const before = held();
  if (before.length > 0) refuse(bucket, before);
  const own = `${folder}/${randomUUID()}.json`;
  bucket.write(own, JSON.stringify({ pid: process.pid, username: os.userInfo().username, hostname: os.hostname(), timestamp: new Date().toISOString() }));
  const others = held().filter((key) => key !== own);
  if (others.length > 0) {
    bucket.remove(own);
    refuse(bucket, others);
  }
  return () => bucket.remove(own);
}

/** Removes every lock of a stack, whoever holds it. */
export function breakLocks(bucket: Bucket, project: string, stack: string): void {
  const folder = folderOf(project, stack);
  for (const name of bucket.list(folder)) bucket.remove(`${folder}/${name}`);
}

export const isLocked = (bucket: Bucket, project: string, stack: string): boolean => bucket.list(folderOf(project, stack)).length > 0;
