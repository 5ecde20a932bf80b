import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { isSurelyGone, ownIdentity } from "../../common/process-identity";
import type { RunEvent } from "../schedule/run";

/** Which of a run's events are worth a synced write: those that say what is done and what is in doubt. */
const KEPT = new Set<RunEvent["kind"]>(["run-started", "stack-started", "stack-finished", "interrupted", "run-finished"]);

const processSchema = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() });
const lineSchema = z.looseObject({
  kind: z.string(),
  stack: z.string().optional(),
  operation: z.string().optional(),
  status: z.string().optional(),
  process: processSchema.optional(),
});
type Line = z.infer<typeof lineSchema>;

/**
 * The append-only record of one run: a JSON line an event, each synced before the run goes on, so that after a crash or a
 * power cut it says which stacks are done and which are in doubt. A last line that was cut off is ignored by readers.
 * Holds names, counts and times only: never outputs or messages.
 */
export class RunJournal {
  readonly #fd: number;
  /** Half a line may stand at its end: nothing is written behind it. */
  #broken = false;

  constructor(readonly file: string) {
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      this.#fd = fs.openSync(file, "a", 0o600);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** @throws HomelabError E_JOURNAL, once */
  append(event: RunEvent): void {
    if (!KEPT.has(event.kind) || this.#broken) return;
    try {
      fs.writeSync(this.#fd, `${JSON.stringify(lineOf(event))}\n`);
      fs.fsyncSync(this.#fd);
    } catch (cause) {
      this.#broken = true;
      throw this.#failure(cause);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #failure(cause: unknown): HomelabError {
    return new HomelabError("E_JOURNAL", `the run's journal ${this.file} cannot be written: what ran was finished, and nothing new was started`, {
      cause,
      subject: this.file,
      hint: "make room for it, then run the same command again: it goes on from the saved state",
    });
  }
}

function lineOf(event: RunEvent): object {
  if (event.kind === "stack-finished") return { kind: event.kind, at: event.at, stack: event.stack, status: event.outcome.status };
  return event.kind === "run-started" ? { ...event, process: ownIdentity() } : event;
}

/** A last line that was cut off, and what would stand behind it, is not read. */
function readLines(file: string): Line[] {
  const lines: Line[] = [];
  for (const text of fs.readFileSync(file, "utf8").split("\n").slice(0, -1)) {
    try {
      lines.push(lineSchema.parse(JSON.parse(text)));
    } catch {
      break;
    }
  }
  return lines;
}

/** What only looks leaves nothing in doubt, and settles nothing. */
const changesNothing = (operation: string | undefined): boolean => operation === "preview" || operation === "preview-destroy";

/** Whether its process is surely there no more; one that cannot be told is taken for a dead one, as before journals said who it is. */
const isOver = (started: Line | undefined): boolean => started?.process === undefined || isSurelyGone(started.process);

export interface UnfinishedRun {
  file: string;
  operation: string;
  /** Stacks that had started and not finished: in doubt until a later run has finished them. */
  inDoubt: string[];
}

/** Those of runs that changed something and are over, oldest first. */
function journals(runsDir: string): { file: string; lines: Line[]; started: Line | undefined }[] {
  if (!fs.existsSync(runsDir)) return [];
  const files = fs.readdirSync(runsDir).filter((name) => name.endsWith(".journal.jsonl"));
  return files.sort().flatMap((name) => {
    const file = path.join(runsDir, name);
    const lines = readLines(file);
    const started = lines.find(({ kind }) => kind === "run-started");
    return changesNothing(started?.operation) || !isOver(started) ? [] : [{ file, lines, started }];
  });
}

/**
 * The newest run that ended without saying so, with every stack that is still in doubt from it and from those before it; undefined
 * where there is none. Runs that change nothing say nothing about that, and one that is still under way is no such run.
 */
export function unfinishedRun(runsDir: string): UnfinishedRun | undefined {
  const inDoubt = new Set<string>();
  let unfinished: Omit<UnfinishedRun, "inDoubt"> | undefined;
  for (const { file, lines, started } of journals(runsDir)) {
    for (const { kind, stack } of lines) {
      if (kind === "stack-started" && stack !== undefined) inDoubt.add(stack);
      if (kind === "stack-finished" && stack !== undefined) inDoubt.delete(stack);
    }
    if (!lines.some(({ kind }) => kind === "run-finished")) unfinished = { file, operation: started?.operation ?? "run" };
    else if (inDoubt.size === 0) unfinished = undefined;
  }
  return unfinished === undefined ? undefined : { ...unfinished, inDoubt: [...inDoubt] };
}

/** How a stack stands by the last run that worked on it: as that run ended it, or in doubt where it never did. */
export type StackStanding = "succeeded" | "failed" | "cancelled" | "in doubt";

/** By stack; one that no run has worked on, or that is worked on now, is not in it. */
export function standings(runsDir: string): Map<string, StackStanding> {
  const found = new Map<string, StackStanding>();
  for (const { lines } of journals(runsDir)) {
    const started = new Set<string>();
    for (const { kind, stack, status } of lines) {
      if (stack === undefined) continue;
      if (kind === "stack-started") {
        started.add(stack);
        found.set(stack, "in doubt");
      }
      // One that never started was only left out.
      if (kind === "stack-finished" && started.has(stack) && (status === "succeeded" || status === "failed" || status === "cancelled"))
        found.set(stack, status);
    }
  }
  return found;
}
