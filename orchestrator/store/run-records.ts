/** Reads the folders of runs, damaged ones too. It reports what cannot be read, and never takes a stack for done because of it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { asError, systemErrorCode } from "../../common/errors";
import { isSurelyRunning } from "../../common/process-identity";
import { changesNothing, RUN_FILES, type RunFacts, runFactsSchema } from "./run-facts";
import { runNames } from "./run-folder";

const lineSchema = z.looseObject({
  kind: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number().optional(),
  stack: z.string().optional(),
  stacks: z.array(z.string()).optional(),
  operation: z.string().optional(),
  status: z.string().optional(),
  inDoubt: z.boolean().optional(),
});
export type JournalLine = z.infer<typeof lineSchema>;

export interface RunRecord {
  /** The name of its folder. */
  id: string;
  dir: string;
  facts: RunFacts | undefined;
  lines: readonly JournalLine[];
  /** What could not be read, and why. */
  damage: string | undefined;
}

/** From `run.json`, or from the copy in the journal where that cannot be read. */
export const operationOf = ({ facts, lines }: RunRecord): string | undefined => facts?.operation ?? lines.find(({ kind }) => kind === "run-started")?.operation;
export const stacksOf = ({ facts, lines }: RunRecord): readonly string[] | undefined =>
  facts?.stacks ?? lines.find(({ kind }) => kind === "run-started")?.stacks;

/** Stacks with which the run succeeded. */
export const succeededIn = ({ lines }: RunRecord): string[] =>
  lines.filter(({ kind, status }) => kind === "stack-finished" && status === "succeeded").flatMap(({ stack }) => stack ?? []);

/** Stacks that it left as they were, since nothing that they are built from had changed. Nothing is left to do for them. */
export const unaffectedIn = ({ lines }: RunRecord): string[] =>
  lines.filter(({ kind, status }) => kind === "stack-finished" && status === "unaffected").flatMap(({ stack }) => stack ?? []);

export const hasEnded = ({ lines }: RunRecord): boolean => lines.some(({ kind }) => kind === "run-finished");

/** Whether its process runs. A process of another machine or container cannot be seen and counts as dead: what it left is in doubt. */
export const isUnderWay = (record: RunRecord): boolean => !hasEnded(record) && record.facts?.process !== undefined && isSurelyRunning(record.facts.process);

/** Whether the run could have changed anything. A run whose operation is not known could. */
export const mayHaveChanged = (record: RunRecord): boolean => !changesNothing(operationOf(record));

function readLines(file: string): { lines: JournalLine[]; damage: string | undefined } {
  const lines: JournalLine[] = [];
  let damage: string | undefined;
  // A last line without its line end was never acknowledged: what it would announce had not begun.
  const texts = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  for (const [i, text] of texts.entries()) {
    try {
      lines.push(lineSchema.parse(JSON.parse(text)));
    } catch {
      // After a power cut the last line may have its length, but not its content.
      if (i < texts.length - 1) damage ??= `${path.basename(file)}, line ${i + 1} is not what a run writes`;
    }
  }
  return { lines, damage };
}

function whyNot(file: string, cause: unknown): string {
  const code = systemErrorCode(cause);
  if (code === "ENOENT") return `${file} is not there`;
  return code === undefined ? `${file} is not what a run writes` : `${file} cannot be read: ${asError(cause).message}`;
}

function readRun(runsDir: string, id: string): RunRecord {
  const dir = path.join(runsDir, id);
  let facts: RunFacts | undefined;
  let journal: ReturnType<typeof readLines> = { lines: [], damage: undefined };
  let damage: string | undefined;
  try {
    facts = runFactsSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, RUN_FILES.facts), "utf8")));
  } catch (cause) {
    damage = whyNot(RUN_FILES.facts, cause);
  }
  try {
    journal = readLines(path.join(dir, RUN_FILES.journal));
  } catch (cause) {
    damage ??= whyNot(RUN_FILES.journal, cause);
  }
  return { id, dir, facts, lines: journal.lines, damage: damage ?? journal.damage };
}

/** Journals of old runs, which had no folders yet. */
function readOldJournals(runsDir: string): RunRecord[] {
  const names = fs.existsSync(runsDir) ? fs.readdirSync(runsDir).filter((name) => name.endsWith(".journal.jsonl")) : [];
  return names.sort().map((id) => ({ id, dir: path.join(runsDir, id), facts: undefined, ...readLines(path.join(runsDir, id)) }));
}

/** All runs, the oldest first. */
export function readRuns(runsDir: string): RunRecord[] {
  const runs = runNames(runsDir).map((id) => readRun(runsDir, id));
  // A run that another one has pruned since the listing is left out: nothing needed it.
  return [...readOldJournals(runsDir), ...runs.filter(({ damage, dir }) => damage === undefined || fs.existsSync(dir))];
}
