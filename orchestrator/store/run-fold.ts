/**
 * What all runs together leave: a fold over their records, the oldest first. A stack is in doubt from the moment when a run starts on it until
 * that run ends it in order. Where the run never does, only a later run that succeeds with the stack settles it.
 */
import { hasEnded, isUnderWay, mayHaveChanged, operationOf, type RunRecord, stacksOf, succeededIn, unaffectedIn } from "./run-records";

/** How the last run that worked on a stack ended it; in doubt where it never ended it. */
export type StackStanding = "succeeded" | "failed" | "cancelled" | "in doubt";

export interface UnfinishedRun {
  id: string;
  operation: string;
  /** Its stacks that neither it nor a later run has ended well, in its order: what is left to do. */
  left: string[];
}

export interface RunsFold {
  /** By stack, without those that no run has worked on. */
  standings: ReadonlyMap<string, StackStanding>;
  inDoubt: readonly string[];
  /** The newest run whose journal has no end, where some of its stacks are left to do. */
  unfinished: UnfinishedRun | undefined;
  /** Damaged runs that this result depends on. Where their stacks are not known, no later run settles them. */
  damaged: readonly { dir: string; damage: string; stacks: readonly string[] | undefined }[];
  /** Ids of the runs that this result depends on. */
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

/** The stacks of an unfinished run that did not succeed, in its order. */
function leftOf(record: RunRecord): string[] {
  if (hasEnded(record)) return [];
  const done = new Set([...succeededIn(record), ...unaffectedIn(record)]);
  return (stacksOf(record) ?? []).filter((stack) => !done.has(stack));
}

/** Stacks that a run, taken alone, leaves unsettled, and that a later run may settle. */
export const opens = (record: RunRecord): string[] => [...leftOf(record), ...[...startedIn(record)].filter((stack) => endOf(record, stack) === "in doubt")];

function foldOne(record: RunRecord, known: Map<string, Known>): void {
  for (const stack of startedIn(record)) {
    const standing = endOf(record, stack);
    // A run that did not succeed may not have looked at everything that was in doubt before.
    if (known.get(stack)?.standing === "in doubt" && standing !== "succeeded") continue;
    known.set(stack, { standing, by: record.id });
  }
}

/** Whether an operation does what another one left to do: a refresh only reads, and completes no up or destroy. */
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
