/** The record of operations (engine-contract G7). */
import { z } from "zod";
import type { Backend } from "./backend";

const entrySchema = z.looseObject({
  kind: z.string(),
  startTime: z.number(),
  message: z.string(),
  environment: z.record(z.string(), z.string()).nullish(),
  config: z.record(z.string(), z.unknown()).nullish(),
  version: z.number().optional(),
  result: z.string(),
  endTime: z.number(),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});

export type HistoryEntry = z.infer<typeof entrySchema>;

const folder = (project: string, stack: string): string => `.pulumi/history/${project}/${stack}`;

let last = 0n;
/** Nanoseconds since the epoch, rising within the process. */
function stamp(): bigint {
  const now = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
  last = now > last ? now : last + 1n;
  return last;
}

/** Writes the entry with a copy of the stack's file, and a backup. */
export function recordHistory(backend: Backend, project: string, stack: string, entry: HistoryEntry): void {
  const at = stamp();
  const key = backend.stackKey(project, stack);
  const base = `${folder(project, stack)}/${stack}-${at}`;
  backend.bucket.write(`${base}.history.json`, `${JSON.stringify(entry, null, 4)}\n`);
  backend.bucket.copy(key, `${base}.checkpoint.json`);
  backend.bucket.copy(key, `.pulumi/backups/${project}/${stack}/${stack}.${at}.json`);
}

/** Newest first. */
export function readHistory(backend: Backend, project: string, stack: string): HistoryEntry[] {
  return backend.bucket
    .list(folder(project, stack))
    .filter((name) => name.endsWith(".history.json"))
    .reverse()
    .map((name) => entrySchema.parse(JSON.parse(backend.bucket.read(`${folder(project, stack)}/${name}`) ?? "null")));
}
