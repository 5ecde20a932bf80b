/** The line of a key in a file, and which keys are known there. */
import { type Document, isMap, isNode, type LineCounter } from "yaml";
import type { z } from "zod";
import { nearest } from "../../common/nearest";
import type { Problem } from "./problems";

export type Path = readonly (string | number)[];

/** The line of the innermost node that exists on the path `keys`. For a key of a map, the line of the key. */
export function lineAt(document: Document.Parsed, counter: LineCounter, keys: Path): number {
  for (let length = keys.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const last = keys[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(last));
      if (pair && isNode(pair.key) && pair.key.range) return counter.linePos(pair.key.range[0]).line;
    }
    const node = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}

/** The object, array or record schema inside optional, nullable and default ones. */
function unwrap(schema: unknown): { shape?: Record<string, unknown>; element?: unknown; valueType?: unknown } | undefined {
  let current = schema as { def?: { innerType?: unknown }; shape?: Record<string, unknown>; element?: unknown; valueType?: unknown } | undefined;
  while (current?.def?.innerType !== undefined) current = current.def.innerType as typeof current;
  return current;
}

/** Known keys at a place of the schema, for the nearest one to a misspelt key. */
function knownKeys(root: z.ZodType, keys: Path): string[] {
  let schema: unknown = root;
  for (const key of keys) {
    const { shape, element, valueType } = unwrap(schema) ?? {};
    schema = unwrap(shape?.[String(key)] ?? element ?? valueType);
  }
  return Object.keys(unwrap(schema)?.shape ?? {});
}

/** The message of an issue. For an invalid key of a map, zod's own message says only that it is invalid. */
const textOf = (issue: z.core.$ZodIssue): string =>
  issue.code === "invalid_key" ? `as a name it ${issue.issues.map(({ message }) => message).join(", and ")}` : issue.message;

/** The issues of a schema as problems with their lines. @param schema has the known keys */
export function problemsOf(file: string, schema: z.ZodType, issues: readonly z.core.$ZodIssue[], lineOf: (keys: Path) => number): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const at = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const meant = nearest(key, knownKeys(schema, at));
        return {
          file,
          line: lineOf([...at, key]),
          key: [...at, key].join("."),
          message: `unknown key${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
        };
      });
    }
    return [{ file, line: lineOf(at), key: at.join(".") || "(file)", message: textOf(issue) }];
  });
}
