/** Old and new values of a step's changed properties, from the inputs that the engine's event holds. */
import type { ChangedValue } from "./worker-protocol";

interface StateOfStep {
  inputs?: unknown;
  outputs?: unknown;
}

/** What is read of the engine's event of a step. */
interface StepChange {
  op: string;
  old?: StateOfStep;
  new?: StateOfStep;
  detailedDiff?: Readonly<Record<string, unknown>>;
  diffs?: readonly string[];
}

/** `a.b[0]["c.d"]` in its parts. */
function parts(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, plain]) =>
    quoted === undefined ? (index ?? plain ?? "") : quoted.replaceAll('\\"', '"'),
  );
}

/** The value at a path, or undefined where there is none. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const part of parts(path)) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, part)) return undefined;
    found = Reflect.get(found, part);
  }
  return found;
}

/** The engines' mark of a value that a preview does not know yet. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const shown = (value: unknown): string => (value === UNKNOWN ? "(not known yet)" : (JSON.stringify(value) ?? ""));

/** Empty for other steps than updates and replacements, where a list of everything says nothing. */
export function changedValues({ op, old, new: next, detailedDiff, diffs }: StepChange): ChangedValue[] {
  if (op !== "update" && op !== "replace") return [];
  const paths = detailedDiff === undefined ? (diffs ?? []) : Object.keys(detailedDiff);
  return paths.flatMap((path) => {
    // What a diff compares: with inputs, or with what the resource was found to be.
    const before = at(old?.inputs, path) ?? at(old?.outputs, path);
    const after = at(next?.inputs, path);
    if (before === undefined && after === undefined) return [];
    return [{ path, ...(before === undefined ? {} : { from: shown(before) }), ...(after === undefined ? {} : { to: shown(after) }) }];
  });
}
