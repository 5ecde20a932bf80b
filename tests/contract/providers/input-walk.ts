/** Sets one input after the other: each is refused by name, or changes the requests to the target system. */
import type { Value, Values } from "../../../providers/sdk/values";
import type { SdkInput } from "../../support/sdk-inputs";

export interface Walked {
  type: string;
  inputs: readonly SdkInput[];
  /** The least inputs that a resource of the type needs. */
  base: Values;
  /** Values to set, by path, where the type does not accept any value of the kind. */
  samples?: Record<string, Value>;
  /** Other inputs without which an input has no effect, by path. */
  beside?: Record<string, Values>;
  /** Inputs that change no request, and why. */
  silent?: Record<string, string>;
}

export function sampleOf({ kind, element }: SdkInput): Value {
  if (kind === "list") return element === "block" ? [{}] : [element === "number" ? 3 : "x1"];
  return { string: "x1", number: 3, boolean: true, map: { x1: "y1" }, block: {}, any: "x1" }[kind];
}

/** Merges deeply. Lists of blocks are merged element by element, so that a block keeps its other properties. */
export function merged(base: Value | undefined, more: Value): Value {
  if (Array.isArray(base) && Array.isArray(more) && isMap(more[0])) return more.map((item, i) => merged(base[i], item));
  if (!isMap(base) || !isMap(more)) return more;
  const result = { ...base };
  for (const [key, value] of Object.entries(more)) result[key] = merged(result[key], value);
  return result;
}
const isMap = (value: Value | undefined): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);

export function at(path: string, value: Value): Values {
  const [step = "", ...rest] = path.split(".");
  const inner = rest.length === 0 ? value : at(rest.join("."), value);
  return step.endsWith("[]") ? { [step.slice(0, -2)]: [inner] } : { [step]: inner };
}

/** The required inputs of the blocks that an input lies in. */
function neighbours(walked: Walked, path: string): Values {
  let needed: Values = {};
  for (const other of walked.inputs) {
    const block = other.path.includes(".") ? other.path.slice(0, other.path.lastIndexOf(".") + 1) : "";
    if (!other.required || block === "" || other.path === path || !(path.startsWith(block) || path === block.replace(/(\[\])?\.$/, ""))) continue;
    needed = merged(needed, at(other.path, walked.samples?.[other.path] ?? sampleOf(other))) as Values;
  }
  return needed;
}

/** Inputs with the given one set (a flag to both values), and the same inputs without it. */
function variants(walked: Walked, input: SdkInput): { without: Values; given: Values[] } {
  const { path } = input;
  const beside = walked.beside?.[path] ?? {};
  const without = merged(merged(walked.base, neighbours(walked, path)), beside) as Values;
  const samples = walked.samples?.[path] !== undefined ? [walked.samples[path]] : input.kind === "boolean" ? [true, false] : [sampleOf(input)];
  return { without, given: samples.map((sample) => merged(without, at(path, sample)) as Values) };
}

const AT_ONCE = 8;

const REFUSAL = /embedded provider does not (support|have)|embedded provider has|is not supported/;

/** @param failures of Check, in the form `path: reason` */
function refusalOf(path: string, failures: readonly string[]): "refused" | "taken" | { complaint: string[] } {
  if (failures.length === 0) return "taken";
  const named = failures.filter(
    (failure) => REFUSAL.test(failure) && `${path}.`.startsWith(`${failure.slice(0, failure.indexOf(": ")).replaceAll(/\[\d+\]/g, "[]")}.`),
  );
  return named.length > 0 ? "refused" : { complaint: [...failures] };
}

/**
 * @param check failures of the inputs
 * @param traces the requests to the target system in the life of a resource with these inputs
 * @param atOnce how many inputs are tried at once
 * @returns `refused`: inputs that are refused by name. `wrong`: inputs that have no effect, and entries of `silent` that are not needed
 */
export async function walk(
  walked: Walked,
  check: (type: string, inputs: Values) => Promise<readonly string[]>,
  traces: (type: string, inputs: Values) => Promise<unknown>,
  atOnce = AT_ONCE,
): Promise<{ refused: string[]; wrong: string[] }> {
  const [refused, wrong]: [string[], string[]] = [[], []];
  const silent = { ...walked.silent };
  const known = new Map<string, Promise<string>>();
  const traceOf = (inputs: Values): Promise<string> => {
    const key = JSON.stringify(inputs);
    const trace = known.get(key) ?? traces(walked.type, inputs).then((seen) => JSON.stringify(seen));
    known.set(key, trace);
    return trace;
  };
  const shown = async (path: string, without: Values, given: readonly Values[]): Promise<void> => {
    const before = await traceOf(without);
    const after = [];
    for (const inputs of given) after.push(await traceOf(inputs));
    const same = after.every((trace) => trace === before);
    if (same && !(path in silent)) wrong.push(`${path}: accepted, but it changes no request: ${before.slice(0, 200)}`);
    if (!same && path in silent) wrong.push(`${path}: listed as silent, but it changes a request`);
    delete silent[path];
  };
  const looks: (() => Promise<void>)[] = [];
  for (const input of walked.inputs) {
    const { path } = input;
    if (refused.some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[].`))) continue;
    const { without, given } = variants(walked, input);
    const [first = {}] = given;
    const outcome = refusalOf(path, await check(walked.type, first));
    if (outcome === "refused") refused.push(path);
    else if (outcome !== "taken") wrong.push(`${path}: ${outcome.complaint.join("; ")}`);
    else if (input.kind !== "block" && input.element !== "block") looks.push(() => shown(path, without, given));
  }
  // Several at once, since they mostly wait.
  for (let next = 0; next < looks.length; next += atOnce) await Promise.all(looks.slice(next, next + atOnce).map((look) => look()));
  return { refused, wrong: [...wrong, ...Object.keys(silent).map((path) => `${path}: listed as silent, but there is no such input`)] };
}
