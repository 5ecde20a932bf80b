/** Compares the inputs of two runs, leaf by leaf. */
import type { DiffKind, DiffResult } from "./resource";
import { isValues, Secret, sameValue, type Value, type Values } from "./values";

export interface DiffRules {
  /**
   * Property paths whose change forces a replacement, without list indices: `clone.vmId` covers `clone.vmId` and, in a list,
   * `clone[0].vmId`; a path covers everything below it. "all": any change does.
   */
  replaceOn?: readonly string[] | "all";
  /** Whether a change at a path that `replaceOn` covers does force one. Default: it does. */
  replaces?(path: string): boolean;
  /** Paths (as above) that are not compared. */
  ignore?: readonly string[];
  /** Whether two values that differ as text mean the same. `path` as above. */
  equal?(path: string, before: Value, after: Value): boolean;
  /** Whether a property that came (`before` undefined) or went (`after` undefined) changes nothing. `path` as above. */
  unchanged?(path: string, before: Value | undefined, after: Value | undefined): boolean;
  deleteBeforeReplace?: boolean;
  /** Whether the differences are shown as those of the inputs, or (false) as those of the state and the inputs. Default: true. */
  inputDiff?: boolean;
}

/** `a`, `["a.b"]`: one more step of a property path, as the engine writes it. */
function step(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}["${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}

const covers = (outer: string, inner: string): boolean => inner === outer || inner.startsWith(`${outer}.`);
const bare = (value: Value | undefined): Value | undefined => (value instanceof Secret ? bare(value.value) : value);

/** What stands at a path, in each element of the lists on the way. */
function valuesAt(value: Value | undefined, keys: readonly string[]): Value[] {
  const item = bare(value);
  if (item === undefined) return [];
  if (Array.isArray(item)) return item.flatMap((element) => valuesAt(element, keys));
  const [key, ...rest] = keys;
  if (key === undefined) return [item];
  // Unknown: it may hold anything.
  return isValues(item) ? valuesAt(item[key], rest) : [item];
}

/** Keys that start with two underscores are the bridge's own notes, and no inputs. */
const isNote = (key: string): boolean => key.startsWith("__");

class Comparison {
  readonly detailed: DiffResult["detailed"] = {};
  readonly diffs = new Set<string>();
  readonly replaces = new Set<string>();

  constructor(private readonly rules: DiffRules) {}

  /** Whether what came or went holds something at a path below it that forces a replacement. */
  #holds(plain: string, outer: string, value: Value, came: boolean): boolean {
    return valuesAt(value, outer.slice(plain.length + 1).split(".")).some((inner) => {
      const [before, after] = came ? [undefined, inner] : [inner, undefined];
      return this.rules.unchanged?.(outer, before, after) !== true;
    });
  }

  /** @param value what came or went; for an update, undefined */
  #record(path: string, plain: string, root: string, kind: "add" | "delete" | "update", value?: Value): void {
    const { replaceOn = [], inputDiff = true } = this.rules;
    const below = (outer: string): boolean => covers(plain, outer) && (value === undefined || this.#holds(plain, outer, value, kind === "add"));
    const replace = replaceOn === "all" || replaceOn.some((outer) => (covers(outer, plain) && this.rules.replaces?.(plain) !== false) || below(outer));
    this.diffs.add(root);
    if (replace) this.replaces.add(root);
    const full: DiffKind = replace ? `${kind}-replace` : kind;
    this.detailed[path] = { kind: full, inputDiff };
  }

  /** An added or removed element counts as a change of its list, whatever the rules say about an added or removed property. */
  #compareElements(path: string, plain: string, root: string, before: Value | undefined, after: Value | undefined): void {
    if (before === undefined || after === undefined) this.#record(path, plain, root, before === undefined ? "add" : "delete", before ?? after);
    else this.compare(path, plain, root, before, after);
  }

  compare(path: string, plain: string, root: string, before: Value | undefined, after: Value | undefined): void {
    if (this.rules.ignore?.some((outer) => covers(outer, plain))) return;
    const [a, b] = [bare(before), bare(after)];
    if (a === undefined || b === undefined) {
      if (a !== b && this.rules.unchanged?.(plain, a, b) !== true) this.#record(path, plain, root, a === undefined ? "add" : "delete", a ?? b);
    } else if (sameValue(a, b) || this.rules.equal?.(plain, a, b) === true) {
      return;
    } else if (isValues(a) && isValues(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        if (!isNote(key)) this.compare(step(path, key), `${plain}.${key}`, root, a[key], b[key]);
      }
    } else if (Array.isArray(a) && Array.isArray(b)) {
      for (let i = 0; i < Math.max(a.length, b.length); i++) this.#compareElements(`${path}[${i}]`, plain, root, a[i], b[i]);
    } else {
      this.#record(path, plain, root, "update");
    }
  }
}

/** The result for {@link ResourceDefinition.diff}. An unknown value counts as changed. */
export function diffValues(olds: Values, news: Values, rules: DiffRules = {}): DiffResult {
  const comparison = new Comparison(rules);
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (!isNote(key)) comparison.compare(step("", key), key, key, olds[key], news[key]);
  }
  const replaces = [...comparison.replaces];
  return {
    changed: comparison.diffs.size > 0,
    replaces,
    diffs: [...comparison.diffs],
    detailed: comparison.detailed,
    ...(replaces.length > 0 && rules.deleteBeforeReplace === true ? { deleteBeforeReplace: true } : {}),
  };
}
