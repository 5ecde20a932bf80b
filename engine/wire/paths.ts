/** Property paths as options write them: `a.b[0]["c d"]`, `*` for any key or index. */
import { isObject, isSecret, makeSecret, type PropertyMap, secretValue, type Value } from "./values";

export type PathPart = string | number;

const QUOTED = /\["((?:\\"|[^"])*)"\]/y;
const INDEX = /\[(\*|[-+]?\d+)\]/y;
const NAME = /[^.[]+/y;

/**
 * As the CLI reads one: a name is anything up to a point or a bracket, only a quote is escaped between quotes, and a point may stand
 * before a bracket.
 * @throws Error for a path that cannot be read
 */
export function parsePath(path: string): PathPart[] {
  const parts: PathPart[] = [];
  const wrong = (): Error => new Error(`not a property path: ${path}`);
  const take = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(path);
  };
  if (path.startsWith(".") || path.endsWith(".")) throw wrong();
  for (let at = 0; at < path.length; ) {
    if (path[at] === ".") {
      at++;
      continue;
    }
    const [whole, text = ""] = (path[at] === "[" ? (take(QUOTED, at) ?? take(INDEX, at)) : take(NAME, at)) ?? [];
    if (whole === undefined) throw wrong();
    if (path[at] !== "[") parts.push(whole);
    else if (whole[1] === '"') parts.push(text.replaceAll('\\"', '"'));
    else parts.push(text === "*" ? text : Number(text));
    at += whole.length;
  }
  return parts;
}

/** The path of a key below another path; the root's is empty. */
export function joinPath(path: string, key: string): string {
  if (/[.[\]"]/.test(key) || key === "") return `${path}["${key.replace(/"/g, '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Whether a changed path lies at or below one that an option names. */
export function pathContains(outer: readonly PathPart[], inner: readonly PathPart[]): boolean {
  return outer.length <= inner.length && outer.every((part, i) => part === "*" || part === inner[i]);
}

/** Paths lead through secrets. */
const opened = (value: Value | undefined): Value | undefined => (isSecret(value) ? secretValue(value) : value);

/**
 * The new inputs with what `paths` name put back to the old inputs' values (or taken out where the old ones lack it). As in the CLI,
 * nothing is made on the way: where one side lacks what lies before the end of a path, or a list has another length, it stays as it is.
 * @param failed called with each path that could not be reset everywhere, and whether it is a valid path
 */
export function resetPaths(news: PropertyMap, olds: PropertyMap, paths: readonly string[], failed?: (path: string, isPath: boolean) => void): PropertyMap {
  return paths.reduce((inputs, path) => {
    const missed: Missed = { any: false };
    let parts: PathPart[];
    try {
      parts = parsePath(path);
    } catch {
      // The CLI ignores an invalid path without a message; here it is reported.
      failed?.(path, false);
      return inputs;
    }
    const result = reset(inputs, olds, parts, missed) as PropertyMap;
    if (missed.any) failed?.(path, true);
    return result;
  }, news);
}

/** Whether a path led to a value that only one side has. */
interface Missed {
  any: boolean;
}

const miss = (news: Value, missed: Missed, differs = true): Value => {
  if (differs) missed.any = true;
  return news;
};

function reset(news: Value, given: Value | undefined, path: readonly PathPart[], missed: Missed): Value {
  const [part, ...rest] = path;
  if (part === undefined) return news;
  if (isSecret(news)) return makeSecret(reset(secretValue(news), opened(given), path, missed));
  const olds = opened(given);
  // A value from inside a secret stays secret.
  const put = (old: Value): Value => (isSecret(given) && !isSecret(old) ? makeSecret(old) : old);
  const go = (value: Value, old: Value | undefined): Value =>
    rest.length === 0 ? put(old ?? null) : reset(value, old === undefined ? undefined : put(old), rest, missed);
  if (Array.isArray(news) || typeof part === "number") {
    if (!Array.isArray(news) || !Array.isArray(olds)) return miss(news, missed, Array.isArray(news) || Array.isArray(olds));
    if (part === "*") {
      if (news.length !== olds.length) missed.any = true;
      return news.map((item, i) => (i < olds.length ? go(item, olds[i]) : item));
    }
    if (typeof part !== "number" || part < 0) return miss(news, missed);
    if (part >= news.length || part >= olds.length) return miss(news, missed, rest.length > 0 || part < news.length || part < olds.length);
    return news.map((item, i) => (i === part ? go(item, olds[part]) : item));
  }
  if (!isObject(news)) return miss(news, missed, isObject(olds));
  return part === "*" ? resetAll(news, olds, rest, { go, missed }) : resetKey(news, olds, [part, ...rest], { go, missed });
}

interface Way {
  /** The value of a key or an index, whose rest of the path is walked. */
  go(value: Value, old: Value | undefined): Value;
  missed: Missed;
}

function resetKey(news: PropertyMap, olds: Value | undefined, [key, ...rest]: readonly [string, ...PathPart[]], { go, missed }: Way): Value {
  const has = isObject(olds) && Object.hasOwn(olds, key);
  const old = has ? olds[key] : undefined;
  if (rest.length === 0) {
    const { [key]: _now, ...others } = news;
    return has ? { ...news, [key]: go(null, old) } : others;
  }
  if (!isObject(olds)) return miss(news, missed);
  const now = news[key];
  if (now === undefined) return miss(news, missed, has);
  return { ...news, [key]: go(now, old) };
}

function resetAll(news: PropertyMap, olds: Value | undefined, rest: readonly PathPart[], { go, missed }: Way): Value {
  if (!isObject(olds)) return miss(news, missed, rest.length > 0);
  if (rest.length === 0) return Object.fromEntries(Object.entries(olds).map(([key, old]) => [key, go(null, old)]));
  const walked = Object.entries(olds).map(([key, old]): [string, Value | undefined] => {
    const now = news[key];
    if (now === undefined) missed.any = true;
    return [key, now === undefined ? undefined : go(now, old)];
  });
  return { ...news, ...Object.fromEntries(walked.filter(([, value]) => value !== undefined)) } as PropertyMap;
}
