/** What the backend says about a stack: its updates, and who holds its lock. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { backendFolder } from "../../common/backend-folder";
import { lockFileSchema } from "../../common/lock-file";
import { isSurelyRunning } from "../../common/process-identity";
import { engineAnswer } from "../target/engine-answer";
import type { EngineCommand } from "./pending-creates";

const updateSchema = z.looseObject({
  kind: z.string(),
  result: z.string(),
  startTime: z.string(),
  endTime: z.string().optional(),
  message: z.string().optional(),
  resourceChanges: z.record(z.string(), z.number()).optional(),
});

export interface Update {
  kind: string;
  result: string;
  /** As the engine writes it. */
  startTime: string;
  endTime: string | undefined;
  message: string;
  changes: Readonly<Record<string, number>>;
}

/** The newest first, without the settings that the engine keeps with each update. */
export async function stackHistory(run: EngineCommand, stack: string, most: number): Promise<Update[]> {
  const stdout = await run(["stack", "history", "--json", "--page-size", String(most), "--page", "1", "--stack", stack], {});
  return engineAnswer(z.array(updateSchema), stdout, `stack history --json --stack ${stack}`).map(
    ({ kind, result, startTime, endTime, message, resourceChanges }) => ({
      kind,
      result,
      startTime,
      endTime,
      message: message ?? "",
      changes: resourceChanges ?? {},
    }),
  );
}

export interface LockHolder {
  /** `user@host (process 12, since …)` */
  name: string;
  pid: number;
  /** Whether its process runs on this machine. False where that is not known. */
  isRunning: boolean;
}

/**
 * Who holds a stack, from the lock files of a backend that is a folder. Locks in S3 are not read here: a run that meets one names its holder.
 * @param backend its URL
 * @returns one for each lock; undefined for another backend
 */
export function lockHolders(backend: string | undefined, project: string, stack: string): LockHolder[] | undefined {
  if (backend?.startsWith("file:///") !== true) return undefined;
  const dir = path.join(backendFolder(backend), ".pulumi", "locks", "organization", project, stack);
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const found = lockFileSchema.safeParse(readJson(path.join(dir, name)));
      if (!found.success) return [];
      const { username, hostname, pid, timestamp, process } = found.data;
      const isRunning = process !== undefined && isSurelyRunning({ pid, ...process });
      return [{ name: `${username}@${hostname} (process ${pid}, since ${timestamp})`, pid, isRunning }];
    });
}

/** Undefined for a lock that was released meanwhile, and for one that is half written. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
