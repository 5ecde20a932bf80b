/** Property paths as `ignoreChanges` names them: `spec.replicas`, `spec.containers[0].image`, `metadata.annotations["a/b"]`. */
import { HomelabError } from "../../../common/errors";
import { isValues, type Value, type Values } from "../../sdk/values";

/** A key, an index, or `*` for all of either. */
export type PathStep = string | number;

const STEP = /\.?(?:\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]|([^.[\]]+))/y;

/** @throws HomelabError E_PATH */
export function parsePath(path: string): PathStep[] {
  const steps: PathStep[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(path);
    if (match === null) throw new HomelabError("E_PATH", `"${path}" is no property path: not understood from "${path.slice(at)}"`, { subject: path });
    const [, index, quoted, all, name] = match;
    steps.push(index !== undefined ? Number(index) : (quoted?.replaceAll(/\\(.)/g, "$1") ?? all ?? name ?? ""));
  }
  return steps;
}

/** The paths without `*` that a path stands for in a value. */
export function expandPath(value: Value | undefined, path: readonly PathStep[]): PathStep[][] {
  const [step, ...rest] = path;
  if (step === undefined) return [[]];
  const keys: PathStep[] = step !== "*" ? [step] : Array.isArray(value) ? [...value.keys()] : isValues(value) ? Object.keys(value) : [];
  return keys.flatMap((key) => expandPath(childOf(value, key), rest).map((tail) => [key, ...tail]));
}

export const childOf = (value: Value | undefined, key: PathStep): Value | undefined =>
  Array.isArray(value) ? value[Number(key)] : isValues(value) ? value[String(key)] : undefined;

export const valueAt = (value: Value | undefined, path: readonly PathStep[]): Value | undefined => path.reduce<Value | undefined>(childOf, value);

/** The value with `next` at the path; undefined removes what is there. Missing parents are not created. */
export function withValueAt(value: Value, path: readonly PathStep[], next: Value | undefined): Value {
  const [step, ...rest] = path;
  if (step === undefined) return next ?? value;
  if (rest.length > 0 && childOf(value, step) === undefined) return value;
  const inner = rest.length > 0 ? withValueAt(childOf(value, step) ?? null, rest, next) : next;
  if (Array.isArray(value)) {
    const index = Number(step);
    if (inner === undefined) return value.filter((_item, i) => i !== index);
    return index < value.length ? value.map((item, i) => (i === index ? inner : item)) : [...value, inner];
  }
  if (!isValues(value)) return value;
  const { [String(step)]: _before, ...others } = value;
  return inner === undefined ? others : { ...value, [String(step)]: inner };
}

/** The new inputs, with the ignored paths as they are in `before`. */
export function keepIgnored(before: Values, news: Values, ignoreChanges: readonly string[]): Values {
  const paths = ignoreChanges.flatMap((path) => expandPath(before, parsePath(path)));
  return paths.reduce<Value>((inputs, path) => withValueAt(inputs, path, valueAt(before, path)), news) as Values;
}
