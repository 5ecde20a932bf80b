/** Which stacks a change concerns, and why; and whether a stack that only consumes outputs of changed ones has to run. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Decision } from "../schedule/run-types";
import type { StackStanding } from "../store/run-fold";
import type { Consumed, StackInputs } from "../target/stack-inputs";
import type { OutputValue } from "../worker/worker-protocol";

export type Reason =
  /** Names of inputs: `vm my-host`, `program components/base/namespace.ts`. */
  | { kind: "changed"; inputs: string[] }
  | { kind: "new" }
  /** The program at the commit that it is compared with cannot say what its stacks are built from. */
  | { kind: "unknown" }
  | { kind: "unsettled"; standing: StackStanding }
  /** It consumes these outputs of stacks that are in the run. */
  | { kind: "consumes"; outputs: Consumed[] };

export interface AffectedStack {
  stack: string;
  reason: Reason;
}

export interface Affected {
  /** In the program's order. */
  stacks: AffectedStack[];
  /** Stacks that the program no longer has, in the order in which they were declared. */
  removed: StackInputs[];
}

const changedInputs = (before: StackInputs, now: StackInputs): string[] =>
  [...new Set([...Object.keys(before.inputs), ...Object.keys(now.inputs)])].filter((name) => before.inputs[name] !== now.inputs[name]).toSorted();

function ownReason(before: readonly StackInputs[] | undefined, now: StackInputs, standing: StackStanding | undefined): Reason | undefined {
  if (standing !== undefined && standing !== "succeeded") return { kind: "unsettled", standing };
  if (before === undefined) return { kind: "unknown" };
  const former = before.find(({ name }) => name === now.name);
  if (former === undefined) return { kind: "new" };
  const inputs = changedInputs(former, now);
  return inputs.length === 0 ? undefined : { kind: "changed", inputs };
}

/**
 * Stacks whose own inputs differ, those that an earlier run left unsettled, and all that consume something of these.
 * @param before undefined where the program at that commit could not say
 * @param standings as earlier runs left the stacks
 */
export function affectedStacks(
  before: readonly StackInputs[] | undefined,
  now: readonly StackInputs[],
  standings: ReadonlyMap<string, StackStanding>,
): Affected {
  const reasons = new Map<string, Reason>();
  for (const stack of now) {
    const own = ownReason(before, stack, standings.get(stack.name));
    if (own !== undefined) reasons.set(stack.name, own);
  }
  for (let more = true; more; ) {
    more = false;
    for (const { name, consumes } of now) {
      const outputs = consumes.filter(({ from }) => reasons.has(from));
      if (reasons.has(name) || outputs.length === 0) continue;
      reasons.set(name, { kind: "consumes", outputs });
      more = true;
    }
  }
  const stacks = now.flatMap(({ name, consumes }) => {
    const reason = reasons.get(name);
    if (reason === undefined) return [];
    // With the outputs of all stacks in the run, also of those that were found later than this one.
    return [{ stack: name, reason: reason.kind === "consumes" ? { ...reason, outputs: consumes.filter(({ from }) => reasons.has(from)) } : reason }];
  });
  return { stacks, removed: (before ?? []).filter(({ name }) => now.every((stack) => stack.name !== name)) };
}

const INPUTS_SHOWN = 3;
const outputText = ({ from, output }: Consumed): string => `${from}.${output}`;

/** Why a stack is in the run, in one line. */
export function reasonText(reason: Reason, shown = INPUTS_SHOWN): string {
  switch (reason.kind) {
    case "changed": {
      const more = reason.inputs.length - shown;
      return `changed: ${reason.inputs.slice(0, shown).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    }
    case "new":
      return "new: the commit that it is compared with does not have it";
    case "unknown":
      return "not known: the commit that it is compared with cannot say what its stacks are built from";
    case "unsettled":
      return `an earlier run left it ${reason.standing}`;
    case "consumes":
      return `consumes ${reason.outputs.map(outputText).join(", ")}`;
  }
}

/** The chain from a stack to what changed, a line for each link, the stack's own first. */
export function whyLines({ stacks }: Pick<Affected, "stacks">, name: string): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  const visit = (stack: string, depth: number): void => {
    const reason = stacks.find((candidate) => candidate.stack === stack)?.reason;
    if (reason === undefined || seen.has(stack)) return;
    seen.add(stack);
    const indent = "  ".repeat(depth);
    if (reason.kind === "changed") lines.push(`${indent}${stack}: changed:`, ...reason.inputs.map((input) => `${indent}  ${input}`));
    else lines.push(`${indent}${stack}: ${reasonText(reason)}`);
    if (reason.kind === "consumes") for (const from of new Set(reason.outputs.map((output) => output.from))) visit(from, depth + 1);
  };
  visit(name, 0);
  return lines;
}

/** Outputs of a stack before and after its run. */
export interface OutputChange {
  before: Readonly<Record<string, OutputValue>> | undefined;
  after: Readonly<Record<string, OutputValue>>;
}

function consumedValue(outputs: OutputChange["before"], { output, key }: Consumed): unknown {
  const value = outputs?.[output]?.value;
  if (key === undefined) return value;
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/**
 * Whether a stack has to run, now that the stacks whose outputs it consumes have ended.
 * @param changes of the outputs of stacks that ran in this run
 */
export function decide(reason: Reason, changes: ReadonlyMap<string, OutputChange>): Decision {
  if (reason.kind !== "consumes") return { run: true, why: reasonText(reason) };
  const changed = reason.outputs.filter((consumed) => {
    const change = changes.get(consumed.from);
    return change !== undefined && !isDeepStrictEqual(consumedValue(change.before, consumed), consumedValue(change.after, consumed));
  });
  if (changed.length > 0) return { run: true, why: `changed: ${changed.map(outputText).join(", ")}` };
  return { run: false, why: `${reason.outputs.map(outputText).join(", ")} ${reason.outputs.length === 1 ? "is" : "are"} as before` };
}
