/** Official plugins write inputs that a program did not set into the state too, as null or as empty values. */
import { Secret, type Value, type Values } from "../../../providers/sdk/values";
import type { SdkInput } from "../../support/sdk-inputs";
import type { State, TestProvider } from "../../support/test-provider";

const isMap = (value: Value | undefined): value is Values => typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** `null`: null for everything, as a bridged provider writes it. `empty`: empty lists and maps, null for all else. */
type Spelling = "null" | "empty";

function nothing({ kind }: SdkInput, spelling: Spelling): Value {
  if (spelling === "empty" && kind === "list") return [];
  return spelling === "empty" && kind === "map" ? {} : null;
}

/** The values with every optional input that is not set, also inside blocks. */
function spelledOut(values: Values, inputs: readonly SdkInput[], spelling: Spelling, prefix = ""): Values {
  const filled: Values = { ...values };
  for (const input of inputs) {
    if (!input.path.startsWith(prefix)) continue;
    const key = input.path.slice(prefix.length);
    if (key === "" || key.includes(".")) continue;
    const value = filled[key];
    if (value === undefined) {
      if (!input.required) filled[key] = nothing(input, spelling);
    } else if (isMap(value)) filled[key] = spelledOut(value, inputs, spelling, `${input.path}.`);
    else if (Array.isArray(value)) filled[key] = value.map((item) => (isMap(item) ? spelledOut(item, inputs, spelling, `${input.path}[].`) : item));
  }
  return filled;
}

/** The value with sorted keys and unwrapped secrets. */
function sorted(value: Value | undefined): unknown {
  if (value instanceof Secret) return sorted(value.value);
  if (Array.isArray(value)) return value.map(sorted);
  return isMap(value)
    ? Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, sorted(value[key])]),
      )
    : value;
}

export interface OfficialCase {
  type: string;
  inputs: readonly SdkInput[];
  /** Inputs of the program. */
  given: Values;
  /** A change that is made in place; undefined if every change replaces the resource. */
  change: Values | undefined;
  /** The properties that a preview of the change shows. */
  shows: string[];
}

/**
 * Takes a state of the official plugin through what a migration does: Check, Diff and Read find no change, and an update changes
 * what the program changed and nothing else.
 * @returns `wrong`: a line for each unexpected result
 */
export async function migrated(plugin: TestProvider, one: OfficialCase, made: State, spelling: Spelling): Promise<{ wrong: string[]; state: State }> {
  const { type, inputs, given, change, shows } = one;
  const wrong: string[] = [];
  const spell = (values: Values): Values => spelledOut(values, inputs, spelling);
  // The outputs of a Kubernetes object contain its inputs once more.
  const { __inputs: within, ...outputs } = made.outputs;
  const official: State = { id: made.id, inputs: spell(made.inputs), outputs: { ...spell(outputs), ...(isMap(within) ? { __inputs: spell(within) } : {}) } };
  const expectSame = (what: string, found: unknown, expected: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(`${what}: ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
  };
  const diff = async (state: State, news: Values) => Object.keys((await plugin.diff(type, state, news)).detailed).sort();
  const checked = await plugin.check(type, given, official.inputs);
  expectSame("check", checked.failures, []);
  expectSame("diff", await diff(official, checked.inputs), []);
  const read = await plugin.read(type, official);
  if (read === undefined) return { wrong: [...wrong, "read: it is gone"], state: made };
  expectSame("inputs after read", sorted(read.inputs), sorted(official.inputs));
  expectSame("diff after read", await diff(read, checked.inputs), []);
  // A program in another language may give null; that is no change either.
  const said = await plugin.check(type, spelledOut(given, inputs, "null"), official.inputs);
  expectSame("check of nulls", said.failures, []);
  expectSame("diff of nulls", await diff(read, said.inputs), []);
  if (change === undefined) return { wrong, state: read };
  const changed = await plugin.check(type, { ...given, ...change }, read.inputs);
  expectSame("check of a change", changed.failures, []);
  expectSame("diff of a change", await diff(read, changed.inputs), [...shows].sort());
  const updated = await plugin.update(type, read, changed.inputs);
  expectSame("diff after update", await diff(updated, changed.inputs), []);
  const again = await plugin.read(type, updated);
  if (again !== undefined) expectSame("diff after update and read", await diff(again, changed.inputs), []);
  return { wrong, state: updated };
}

export const SPELLINGS: readonly Spelling[] = ["null", "empty"];
