/**
 * What all runs together leave: a fold over their records, the oldest first. A stack is in doubt from when a run starts on it until
 * a run has ended it in order; what an earlier run left in doubt, only a later one settles that succeeds with the stack.
 */
import { hasEnded, isUnderWay, mayHaveChanged, operationOf, type RunRecord, stacksOf, succeededIn, unaffectedIn } from "./run-records";

/** How a stack stands by the last run that worked on it: as that run ended it, or in doubt where it never did. */
export type StackStanding = "succeeded" | "failed" | "cancelled" | "in doubt";

export interface UnfinishedRun {
  id: string;
  operation: string;
  /** Its stacks that neither it nor a later run has ended well, in its order: what is left to do. */
  left: string[];
}

export interface RunsFold {
  /** By stack; one that no run has worked on is not in it. */
  standings: ReadonlyMap<string, StackStanding>;
  inDoubt: readonly string[];
  /** The newest run that ended without saying so, where something is left of it. */
  unfinished: UnfinishedRun | undefined;
  /** Runs that cannot be read whole, and that something here rests on. Where their stacks are not known, no later run settles them. */
  damaged: readonly { dir: string; damage: string; stacks: readonly string[] | undefined }[];
  /** Ids of the runs that say something of this. */
  needed: ReadonlySet<string>;
}

interface Known {
  standing: StackStanding;
  /** The run that says so. */
  by: string;
}

/** Names of stacks that the run started on; a journal with a hole may hide any of its stacks. */
function startedIn(record: RunRecord): Set<string> {
  const said = record.lines.filter(({ kind }) => kind === "stack-started").flatMap(({ stack }) => stack ?? []);
  return new Set(record.damage === undefined ? said : [...said, ...(stacksOf(record) ?? [])]);
}

function endOf({ lines }: RunRecord, stack: string): StackStanding {
  const end = lines.findLast((line) => line.kind === "stack-finished" && line.stack === stack);
  if (end === undefined || end.inDoubt === true) return "in doubt";
  return end.status === "succeeded" || end.status === "failed" || end.status === "cancelled" ? end.status : "in doubt";
}

/** Stacks of a run that did not end, and that it did not end well; in its order. */
function leftOf(record: RunRecord): string[] {
  if (hasEnded(record)) return [];
  const done = new Set([...succeededIn(record), ...unaffectedIn(record)]);
  return (stacksOf(record) ?? []).filter((stack) => !done.has(stack));
}

/** What a run leaves, taken alone, that a later one may settle. */
export const opens = (record: RunRecord): string[] => [...leftOf(record), ...[...startedIn(record)].filter((stack) => endOf(record, stack) === "in doubt")];

function foldOne(record: RunRecord, known: Map<string, Known>): void {
  for (const stack of startedIn(record)) {
    const standing = endOf(record, stack);
    // One that did not succeed has not looked at all that was in doubt before.
    if (known.get(stack)?.standing === "in doubt" && standing !== "succeeded") continue;
    known.set(stack, { standing, by: record.id });
  }
}

/** A refresh reads; what an up or a destroy had still to do, it does not do. */
const does = (operation: string | undefined, what: string): boolean => operation !== "refresh" || what === "refresh";

export function foldRuns(records: readonly RunRecord[]): RunsFold {
  const known = new Map<string, Known>();
  let open: UnfinishedRun[] = [];
  const needed = new Set<string>();
  for (const record of records.filter(mayHaveChanged)) {
    if (isUnderWay(record) || (record.damage !== undefined && stacksOf(record) === undefined)) needed.add(record.id);
    if (isUnderWay(record)) continue;
    foldOne(record, known);
    const done = new Set(succeededIn(record));
    const operation = operationOf(record);
    for (const run of open) if (does(operation, run.operation)) run.left = run.left.filter((stack) => !done.has(stack));
    open = [...open, { id: record.id, operation: operation ?? "", left: leftOf(record) }].filter(({ left }) => left.length > 0);
  }
  for (const { by } of known.values()) needed.add(by);
  for (const { id } of open) needed.add(id);
  const inDoubt = [...known].filter(([, { standing }]) => standing === "in doubt").map(([stack]) => stack);
  const damaged = records.flatMap((record) =>
    record.damage !== undefined && needed.has(record.id) ? [{ dir: record.dir, damage: record.damage, stacks: stacksOf(record) }] : [],
  );
  return { standings: new Map([...known].map(([stack, { standing }]) => [stack, standing])), inDoubt, unfinished: open.at(-1), damaged, needed };
}
