/** Reads what runs left in their folders, also where a folder is damaged: what cannot be read is said, and nothing is taken for done by it. */
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

/** Its facts, and their copy in the journal where they cannot be read. */
export const operationOf = ({ facts, lines }: RunRecord): string | undefined => facts?.operation ?? lines.find(({ kind }) => kind === "run-started")?.operation;
export const stacksOf = ({ facts, lines }: RunRecord): readonly string[] | undefined =>
  facts?.stacks ?? lines.find(({ kind }) => kind === "run-started")?.stacks;

/** Stacks that it ended well. */
export const succeededIn = ({ lines }: RunRecord): string[] =>
  lines.filter(({ kind, status }) => kind === "stack-finished" && status === "succeeded").flatMap(({ stack }) => stack ?? []);

/** Stacks that it left as they were, since nothing that they are built from had changed: for it nothing is left of them. */
export const unaffectedIn = ({ lines }: RunRecord): string[] =>
  lines.filter(({ kind, status }) => kind === "stack-finished" && status === "unaffected").flatMap(({ stack }) => stack ?? []);

export const hasEnded = ({ lines }: RunRecord): boolean => lines.some(({ kind }) => kind === "run-finished");

/** Whether its process runs. One of another machine or container cannot be seen and is taken for a dead one: what it left is in doubt. */
export const isUnderWay = (record: RunRecord): boolean => !hasEnded(record) && record.facts?.process !== undefined && isSurelyRunning(record.facts.process);

/** Whether it could have changed anything; one that does not say what it was could. */
export const mayHaveChanged = (record: RunRecord): boolean => !changesNothing(operationOf(record));

function readLines(file: string): { lines: JournalLine[]; damage: string | undefined } {
  const lines: JournalLine[] = [];
  let damage: string | undefined;
  // A last line without its end was never acknowledged: what it would have said had not begun.
  const texts = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  for (const [i, text] of texts.entries()) {
    try {
      lines.push(lineSchema.parse(JSON.parse(text)));
    } catch {
      // After a power cut the last one may be there by its length alone.
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

/** Journals of runs from before runs had folders. */
function readOldJournals(runsDir: string): RunRecord[] {
  const names = fs.existsSync(runsDir) ? fs.readdirSync(runsDir).filter((name) => name.endsWith(".journal.jsonl")) : [];
  return names.sort().map((id) => ({ id, dir: path.join(runsDir, id), facts: undefined, ...readLines(path.join(runsDir, id)) }));
}

/** All runs, the oldest first. */
export function readRuns(runsDir: string): RunRecord[] {
  const runs = runNames(runsDir).map((id) => readRun(runsDir, id));
  // One that another run has pruned since the folder was listed was needed by nobody.
  return [...readOldJournals(runsDir), ...runs.filter(({ damage, dir }) => damage === undefined || fs.existsSync(dir))];
}
