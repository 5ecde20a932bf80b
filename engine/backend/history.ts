/** The record of operations (engine-contract G7). */
import { z } from "zod";
import { CliError } from "../errors";
import { exactJson, parseExactJson } from "../wire/exact-json";
import type { Backend } from "./backend";
import { parseCheckpoint, type RawDeployment } from "./checkpoint";

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
export async function recordHistory(backend: Backend, project: string, stack: string, entry: HistoryEntry): Promise<void> {
  const at = stamp();
  const key = backend.stackKey(project, stack);
  const base = `${folder(project, stack)}/${stack}-${at}`;
  await Promise.all([
    backend.bucket.write(`${base}.history.json`, `${exactJson(entry, 4)}\n`),
    backend.bucket.copy(key, `${base}.checkpoint.json`),
    backend.bucket.copy(key, `.pulumi/backups/${project}/${stack}/${stack}.${at}.json`),
  ]);
}

function parseEntry(file: string, text: string | undefined): HistoryEntry {
  try {
    return entrySchema.parse(parseExactJson(text ?? ""));
  } catch (cause) {
    throw new CliError(`the history file ${file} is damaged: move it away`, 1, { cause });
  }
}

/**
 * The state as an operation left it.
 * @param version its place in the history, from 1 on, oldest first
 * @throws CliError for one that was not recorded
 */
export async function recordedState(backend: Backend, project: string, stack: string, version: number): Promise<RawDeployment | undefined> {
  const names = (await backend.bucket.list(folder(project, stack))).filter((name) => name.endsWith(".history.json"));
  const name = names[version - 1];
  if (name === undefined) throw new CliError(`stack '${stack}' has no version ${version}: its history has ${names.length} entries (\`pulumi stack history\`)`);
  const key = `${folder(project, stack)}/${name.replace(/\.history\.json$/, ".checkpoint.json")}`;
  const text = await backend.bucket.read(key);
  if (text === undefined) throw new CliError(`the state of version ${version} is not there any more: ${backend.bucket.url(key)}`);
  return parseCheckpoint(text, backend.bucket.url(key)).latest;
}

/** How many operations were recorded. */
export const historyLength = async (backend: Backend, project: string, stack: string): Promise<number> =>
  (await backend.bucket.list(folder(project, stack))).filter((name) => name.endsWith(".history.json")).length;

/** Newest first. @param page how many entries to skip and to read: each entry is a file of its own, and the others are not read */
export async function readHistory(backend: Backend, project: string, stack: string, page: { skip?: number; limit?: number } = {}): Promise<HistoryEntry[]> {
  const { skip = 0, limit = Number.MAX_SAFE_INTEGER } = page;
  const names = (await backend.bucket.list(folder(project, stack))).filter((name) => name.endsWith(".history.json")).reverse();
  const entries: HistoryEntry[] = [];
  for (const name of names.slice(skip, skip + limit)) {
    const key = `${folder(project, stack)}/${name}`;
    entries.push(parseEntry(backend.bucket.url(key), await backend.bucket.read(key)));
  }
  return entries;
}

/** The history of a stack that has a new name: each file keeps its time. */
export async function moveHistory(backend: Backend, project: string, from: string, to: string): Promise<void> {
  for (const name of await backend.bucket.list(folder(project, from))) {
    await backend.bucket.copy(`${folder(project, from)}/${name}`, `${folder(project, to)}/${to}${name.slice(from.length)}`);
    await backend.bucket.remove(`${folder(project, from)}/${name}`);
  }
}
