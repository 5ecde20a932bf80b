/**
 * Changes to the text of a SOPS file that leave every other line as it is: a printed document has the library's layout, and a diff of
 * one value would show the whole file.
 */
import { isDeepStrictEqual } from "node:util";
import type { Document, Node, Pair, Scalar, YAMLMap } from "yaml";

/** A value's new text by its place. Undefined removes the key. Text of several lines replaces the key and its value. */
export interface TextEdit {
  place: readonly string[];
  value: string | undefined;
}

interface Splice {
  start: number;
  end: number;
  text: string;
}

type Range = [start: number, valueEnd: number, nodeEnd: number];
const rangeOf = (node: unknown): Range | undefined => (node as Node | null | undefined)?.range ?? undefined;

/** Thrown where an edit cannot be made without changing the layout of more than its own node. */
class NoSplice extends Error {}

function mapAt(document: Document<YAMLMap>, place: readonly string[]): YAMLMap {
  const { isMap } = require("yaml") as typeof import("yaml");
  const map = place.length === 0 ? document.contents : document.getIn(place, true);
  if (!isMap(map) || map.flow === true || map.items.length === 0) throw new NoSplice();
  return map as YAMLMap;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;
const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
};

/** The whole lines of a pair. */
function linesOf(text: string, pair: Pair): { start: number; end: number; indent: string } {
  const key = rangeOf(pair.key);
  const value = rangeOf(pair.value);
  if (key === undefined || value === undefined) throw new NoSplice();
  const start = lineStart(text, key[0]);
  const indent = text.slice(start, key[0]);
  if (indent.trim() !== "") throw new NoSplice();
  const last = text[value[1] - 1] === "\n" ? value[1] : lineEnd(text, value[1]);
  return { start, end: last, indent };
}

function spliceOf(text: string, document: Document<YAMLMap>, { place, value }: TextEdit): Splice {
  const { isScalar, stringify } = require("yaml") as typeof import("yaml");
  const name = place.at(-1) ?? "";
  const map = mapAt(document, place.slice(0, -1));
  const pair = (map.items as Pair<Scalar>[]).find(({ key }) => String(key.value) === name);
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  if (pair === undefined) {
    if (value === undefined) return { start: 0, end: 0, text: "" };
    const { end, indent } = linesOf(text, map.items.at(-1) as Pair);
    const before = text[end - 1] === "\n" ? "" : newline;
    return { start: end, end, text: `${before}${indent}${stringify(name).trimEnd()}: ${value}${newline}` };
  }
  if (value === undefined) {
    const { start, end } = linesOf(text, pair);
    return { start, end, text: "" };
  }
  if (value.includes("\n")) {
    const { start, end, indent } = linesOf(text, pair);
    const [first = "", ...rest] = value.trimEnd().split("\n");
    return { start, end, text: `${[`${indent}${first}`, ...rest.map((line) => indent + line)].join(newline)}${newline}` };
  }
  const range = rangeOf(pair.value);
  if (range === undefined || !isScalar(pair.value)) throw new NoSplice();
  const old = text.slice(range[0], range[1]);
  const quoted = old.startsWith('"') || old.startsWith("'");
  return { start: range[0], end: range[1], text: (quoted && !value.startsWith('"') ? JSON.stringify(value) : value) + (old.endsWith("\n") ? newline : "") };
}

/**
 * @param document that `text` was parsed to, unchanged
 * @param wanted the same document with the edits in it
 * @returns the text with the edits, or undefined where they cannot be made alone (flow style, an empty map, a value on the line of another)
 */
export function spliced(text: string, document: Document<YAMLMap>, wanted: Document<YAMLMap>, edits: readonly TextEdit[]): string | undefined {
  const { parseDocument } = require("yaml") as typeof import("yaml");
  let splices: Splice[];
  try {
    splices = edits.map((edit) => spliceOf(text, document, edit));
  } catch (thrown) {
    if (thrown instanceof NoSplice) return undefined;
    throw thrown;
  }
  // From the end, so that the places before stay where they are; additions at one place keep their order.
  const after = splices
    .map((splice, index) => ({ ...splice, index }))
    .sort((a, b) => b.start - a.start || b.end - a.end || b.index - a.index)
    .reduce((whole, { start, end, text: piece }) => whole.slice(0, start) + piece + whole.slice(end), text);
  const read = parseDocument(after, { prettyErrors: false });
  // The order of keys is part of the MAC.
  const same = read.errors.length === 0 && isDeepStrictEqual(ordered(read.toJS()), ordered(wanted.toJS()));
  return same ? after : undefined;
}

const ordered = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value).map(([key, below]) => [key, ordered(below)]) : value;
