/** Property paths as options write them: `a.b[0]["c d"]`, `*` for any key or index. */
import { isObject, type PropertyMap, type Value } from "./values";

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

/** Whether a changed path lies at or below one that an option names. */
export function pathContains(outer: readonly PathPart[], inner: readonly PathPart[]): boolean {
  return outer.length <= inner.length && outer.every((part, i) => part === "*" || part === inner[i]);
}

function child(value: Value | undefined, part: PathPart): Value | undefined {
  if (Array.isArray(value)) return typeof part === "number" ? value[part] : undefined;
  return isObject(value) ? value[String(part)] : undefined;
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
  if (part === "*") {
    const keys: PathPart[] = Array.isArray(news)
      ? [...news.keys()]
      : [...new Set([...Object.keys(isObject(news) ? news : {}), ...Object.keys(isObject(olds) ? olds : {})])];
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
