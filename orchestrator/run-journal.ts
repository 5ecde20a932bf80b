import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { RunEvent } from "./run";

/** Which of a run's events are worth a synced write: those that say what is done and what is in doubt. */
const KEPT = new Set<RunEvent["kind"]>(["run-started", "stack-started", "stack-finished", "interrupted", "run-finished"]);

const lineSchema = z.looseObject({ kind: z.string(), stack: z.string().optional(), operation: z.string().optional() });

/**
 * The append-only record of one run: a JSON line an event, each synced before the run goes on, so that after a crash or a
 * power cut it says which stacks are done and which are in doubt. A last line that was cut off is ignored by readers.
 * Holds names, counts and times only: never outputs or messages.
 */
export class RunJournal {
  readonly #fd: number;

  constructor(readonly file: string) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#fd = fs.openSync(file, "a", 0o600);
  }

  append(event: RunEvent): void {
    if (!KEPT.has(event.kind)) return;
    const line = event.kind === "stack-finished" ? { kind: event.kind, at: event.at, stack: event.stack, status: event.outcome.status } : event;
    fs.writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    fs.fsyncSync(this.#fd);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

export interface UnfinishedRun {
  file: string;
  operation: string;
  /** Stacks that had started and not finished: in doubt until the next refresh or up. */
  inDoubt: string[];
}

/** The newest run, if it ended without saying so. */
export function unfinishedRun(runsDir: string): UnfinishedRun | undefined {
  if (!fs.existsSync(runsDir)) return undefined;
  const newest = fs
    .readdirSync(runsDir)
    .filter((name) => name.endsWith(".journal.jsonl"))
    .sort()
    .at(-1);
  if (newest === undefined) return undefined;
  const file = path.join(runsDir, newest);
  const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  const inDoubt = new Set<string>();
  let operation = "run";
  for (const text of lines) {
    const line = lineSchema.parse(JSON.parse(text));
    if (line.kind === "run-finished") return undefined;
    if (line.kind === "run-started") operation = line.operation ?? operation;
    if (line.kind === "stack-started" && line.stack !== undefined) inDoubt.add(line.stack);
    if (line.kind === "stack-finished" && line.stack !== undefined) inDoubt.delete(line.stack);
  }
  return { file, operation, inDoubt: [...inDoubt] };
}
