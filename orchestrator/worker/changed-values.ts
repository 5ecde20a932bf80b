/** Old and new values of a step's changed properties, from the inputs that the engine's event holds. */
import { REDACTED } from "../../common/redact";
import { SIGNATURE, SIGNATURE_KEY, UNKNOWNS } from "../../common/signatures";
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
  detailedDiff?: Readonly<Record<string, { diffKind?: string }>>;
  diffs?: readonly string[];
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

/** `a.b[0]["c.d"]` in its parts. */
function parts(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, plain]) =>
    quoted === undefined ? (index ?? plain ?? "") : quoted.replaceAll('\\"', '"'),
  );
}

/** The value at a path, or undefined where there is none. For a path inside a secret, the secret. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const part of parts(path)) {
    if (isTree(found) && found[SIGNATURE_KEY] === SIGNATURE.secret) return found;
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, part)) return undefined;
    found = Reflect.get(found, part);
  }
  return found;
}

/** The name of a value that JSON does not have, such as a secret or a file. Undefined for JSON's own values. */
function nameOf(value: unknown): string | undefined {
  if (UNKNOWNS.has(value)) return "(unknown)";
  if (!isTree(value)) return undefined;
  const kind = value[SIGNATURE_KEY];
  if (kind === undefined) return undefined;
  if (kind === SIGNATURE.secret) return REDACTED;
  if (kind === SIGNATURE.resource) return `(${String(value["urn"])})`;
  const file = kind === SIGNATURE.asset ? "file" : kind === SIGNATURE.archive ? "archive" : "value of a kind that is not known";
  return typeof value["hash"] === "string" ? `(${file} ${value["hash"].slice(0, 12)})` : `(${file})`;
}

const shown = (value: unknown): string => nameOf(value) ?? JSON.stringify(value, (_, part: unknown) => nameOf(part) ?? part) ?? "";

/** `add`, `update-replace` and their like. */
function kindOf(diffKind: string | undefined): Pick<ChangedValue, "kind" | "replaces"> {
  const [, kind, replaces] = /^(add|update|delete)(-replace)?$/.exec(diffKind ?? "") ?? [];
  if (kind !== "add" && kind !== "update" && kind !== "delete") return {};
  return { kind, ...(replaces === undefined ? {} : { replaces: true }) };
}

/** Empty for other steps than updates and replacements, where it would list every property. */
export function changedValues({ op, old, new: next, detailedDiff, diffs }: StepChange): ChangedValue[] {
  if (op !== "update" && op !== "replace") return [];
  const paths = detailedDiff === undefined ? (diffs ?? []) : Object.keys(detailedDiff);
  return paths.flatMap((path) => {
    // A diff compares with the old inputs, or with the properties that the resource was found to have.
    const before = at(old?.inputs, path) ?? at(old?.outputs, path);
    const after = at(next?.inputs, path);
    if (before === undefined && after === undefined) return [];
    const values = { ...(before === undefined ? {} : { from: shown(before) }), ...(after === undefined ? {} : { to: shown(after) }) };
    return [{ path, ...values, ...kindOf(detailedDiff?.[path]?.diffKind) }];
  });
}

/** `a.b[0]["c.d"]`, as the engines write it. */
const below = (path: string, key: string, inList: boolean): string => {
  if (inList) return `${path}[${key}]`;
  if (/[.[\]"]/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
};

/** Every leaf that differs. */
function differing(before: unknown, after: unknown, path: string): ChangedValue[] {
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after) && nameOf(before) === undefined && nameOf(after) === undefined) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differing(before[key], after[key], below(path, key, Array.isArray(before))));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [
    {
      path,
      kind: before === undefined ? "add" : after === undefined ? "delete" : "update",
      ...(before === undefined ? {} : { from: shown(before) }),
      ...(after === undefined ? {} : { to: shown(after) }),
    },
  ];
}

/**
 * How a resource differs from its state. A refresh only reports that it differs: the values are compared here, in its inputs, or else in its
 * outputs. A secret is masked on both sides and shows no difference.
 */
export function driftedValues({ old, new: next }: Pick<StepChange, "old" | "new">): ChangedValue[] {
  const inputs = differing(old?.inputs, next?.inputs, "");
  return inputs.length > 0 ? inputs : differing(old?.outputs, next?.outputs, "");
}
