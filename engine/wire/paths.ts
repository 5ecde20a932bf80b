/** Property paths as options write them: `a.b[0]["c d"]`, `*` for any key or index. */
import { isObject, isSecret, makeSecret, type PropertyMap, secretValue, type Value } from "./values";

export type PathPart = string | number;

/** @throws Error for a path that cannot be read */
export function parsePath(path: string): PathPart[] {
  const parts: PathPart[] = [];
  const pattern = /\.?([^.[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[\*\]/gy;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) throw new Error(`not a property path: ${path}`);
    const [whole, name, index, quoted] = match;
    if (name !== undefined) parts.push(name);
    else if (index !== undefined) parts.push(Number(index));
    else if (quoted !== undefined) parts.push(quoted.replace(/\\(.)/g, "$1"));
    else if (whole === "[*]") parts.push("*");
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

const plainObject = (value: Value | undefined): PropertyMap => {
  const inner = opened(value);
  return isObject(inner) ? inner : {};
};

function child(container: Value | undefined, part: PathPart): Value | undefined {
  const value = opened(container);
  const found = Array.isArray(value) ? (typeof part === "number" ? value[part] : undefined) : isObject(value) ? value[String(part)] : undefined;
  // What comes out of a secret stays one.
  return found !== undefined && isSecret(container) ? makeSecret(found) : found;
}

/**
 * The new inputs with what `paths` name put back to the old inputs' values (or taken out where the old ones lack it).
 * A path that leads nowhere is left alone.
 */
export function resetPaths(news: PropertyMap, olds: PropertyMap, paths: readonly string[]): PropertyMap {
  return paths.reduce((inputs, path) => reset(inputs, olds, parsePath(path)) as PropertyMap, news);
}

function reset(news: Value, olds: Value | undefined, path: readonly PathPart[]): Value {
  const [part, ...rest] = path;
  if (part === undefined) return news;
  if (isSecret(news)) return makeSecret(reset(secretValue(news), opened(olds), path));
  if (part === "*") {
    const keys: PathPart[] = Array.isArray(news)
      ? [...news.keys()]
      : [...new Set([...Object.keys(isObject(news) ? news : {}), ...Object.keys(plainObject(olds))])];
    return keys.reduce<Value>((value, key) => reset(value, olds, [key, ...rest]), news);
  }
  const old = child(olds, part);
  if (rest.length > 0) {
    const inner = child(news, part);
    return inner === undefined ? news : replaced(news, part, reset(inner, old, rest));
  }
  return replaced(news, part, old);
}

function replaced(container: Value, part: PathPart, value: Value | undefined): Value {
  if (Array.isArray(container)) {
    if (typeof part !== "number" || part >= container.length || value === undefined) return container;
    return container.map((item, i) => (i === part ? value : item));
  }
  if (!isObject(container)) return container;
  const { [String(part)]: _old, ...rest } = container;
  return value === undefined ? rest : { ...container, [String(part)]: value };
}
