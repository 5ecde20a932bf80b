/**
 * Changes to the text of a settings file that leave everything else in it as it is, to the byte: comments, quotes, numbers in
 * whatever notation, order and layout.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, Scalar, stringify, type YAMLMap, type YAMLSeq } from "yaml";
import { exactJson } from "../wire/exact-json";
import { NotFinite, plainScalar } from "./plain-scalar";
import type { ConfigValue } from "./value-path";

type Path = readonly (string | number)[];
type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>;

/** The value's text cannot be changed by itself: the caller rewrites more of the file. */
class NoSplice extends Error {}

interface Splice {
  start: number;
  end: number;
  text: string;
}

const rangeOf = (node: Node | null | undefined): [number, number, number] => {
  if (!node?.range) throw new NoSplice();
  return node.range;
};
const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;
/** The index after the end of the line. */
const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
};

export const parseSettings = (text: string) => parseDocument(text, { merge: true, keepSourceTokens: false, intAsBigInt: true });
type Settings = ReturnType<typeof parseSettings>;

const keyText = (key: unknown): string => (isScalar(key) ? (typeof key.value === "string" ? key.value : (key.source ?? String(key.value))) : String(key));

/** A node as the CLI reads it. @throws NotFinite */
export function readNode(node: unknown, document: Settings): ConfigValue {
  if (isAlias(node)) return readNode(node.resolve(document), document);
  if (isMap(node)) {
    const own: [string, ConfigValue][] = [];
    const merged: [string, ConfigValue][] = [];
    for (const { key, value } of node.items) {
      const read = readNode(value, document);
      if (isScalar(key) && key.source === "<<" && key.type === Scalar.PLAIN) {
        for (const map of Array.isArray(read) ? read : [read]) if (typeof map === "object" && map !== null) merged.unshift(...Object.entries(map));
      } else own.push([keyText(key), read]);
    }
    return Object.fromEntries([...merged, ...own]);
  }
  if (isSeq(node)) return node.items.map((item) => readNode(item, document));
  if (!isScalar(node)) return null;
  const text = node.source ?? "";
  if (node.tag === undefined) return node.type === Scalar.PLAIN ? plainScalar(text) : node.value === null ? null : String(node.value);
  if (node.tag === "tag:yaml.org,2002:str") return typeof node.value === "string" ? node.value : text;
  const read = plainScalar(text);
  if (node.tag === "tag:yaml.org,2002:float" && typeof read === "bigint") return Number(read);
  return read;
}

/** One line of YAML, valid inside a flow collection too. */
function inline(value: ConfigValue): string {
  if (typeof value === "object" && value !== null) return exactJson(value);
  if (typeof value !== "string") return String(value);
  const plain = stringify(value, { lineWidth: 0, blockQuote: false }).replace(/\n$/, "");
  // Text that Go would not read as text, and characters that have a meaning in a flow collection.
  let read: unknown;
  try {
    read = plainScalar(value);
  } catch (thrown) {
    if (!(thrown instanceof NotFinite)) throw thrown;
  }
  return plain.startsWith('"') || plain.startsWith("'") ? plain : read === value && !/[[\]{},\n]/.test(value) ? plain : JSON.stringify(value);
}

const isEmpty = (value: ConfigValue): boolean => typeof value !== "object" || value === null || Object.keys(value).length === 0;

const below = (lines: readonly string[]): string[] => lines.map((line) => (line === "" ? line : `  ${line}`));

/** A text of several lines as a literal block: its mark, and its lines. Undefined where that would not be the same text. */
function literal(text: string): string[] | undefined {
  if (!text.includes("\n") || /^[\s]|\n\n$|\r|[^\P{C}\n\t]/u.test(text)) return undefined;
  const kept = text.endsWith("\n");
  return [kept ? "|" : "|-", ...below((kept ? text.slice(0, -1) : text).split("\n"))];
}

/** The lines of a block, without indentation; undefined where the value stands on the line of its key. */
function block(value: ConfigValue): string[] | undefined {
  if (typeof value === "string") return literal(value);
  if (isEmpty(value)) return undefined;
  if (Array.isArray(value)) return value.flatMap(hung);
  return Object.entries(value as Record<string, ConfigValue>).flatMap(([key, item]) => pairLines(key, item));
}

/** An item of a list: what is below its first line is indented. */
function hung(value: ConfigValue): string[] {
  const [first = "", ...rest] = block(value) ?? [inline(value)];
  return [`- ${first}`, ...(typeof value === "string" ? rest : below(rest))];
}

function pairLines(key: string, value: ConfigValue): string[] {
  const name = inline(key);
  const lines = block(value);
  if (lines === undefined) return [`${name}: ${inline(value)}`];
  // The mark of a literal block stands on the line of its key.
  if (typeof value === "string") return [`${name}: ${lines[0]}`, ...lines.slice(1)];
  return [`${name}:`, ...below(lines)];
}

export const pairText = (key: string, value: ConfigValue): string => `${pairLines(key, value).join("\n")}\n`;

const newlineOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");
const indented = (lines: readonly string[], indent: string, newline: string): string => lines.map((line) => (line === "" ? line : indent + line)).join(newline);

/** The first and the last node of an item. */
function itemNodes(item: Pair<Node, Node | null> | Node): [Node, Node | null] {
  return "key" in item ? [item.key, item.value] : [item, item];
}

/** Where the text of an item ends, without comments and white space. */
function itemEnd(text: string, item: Pair<Node, Node | null> | Node): number {
  const [first, last] = itemNodes(item);
  const [start, keyEnd] = rangeOf(first);
  const end = last === null ? keyEnd : rangeOf(last)[1];
  return start + text.slice(start, Math.max(end, keyEnd)).replace(/[ \t\r\n]+$/, "").length;
}

/** The lines of an item of a block collection, from the mark of a list's item on. */
function itemLines(text: string, item: Pair<Node, Node | null> | Node): { start: number; end: number; indent: string } {
  const [first] = itemNodes(item);
  const start = lineStart(text, rangeOf(first)[0]);
  const [, indent = "", mark = ""] = /^(\s*)(- +)?/.exec(text.slice(start)) ?? [];
  if (start + indent.length + mark.length !== rangeOf(first)[0] && start + indent.length !== rangeOf(first)[0]) throw new NoSplice();
  return { start, end: lineEnd(text, itemEnd(text, item)), indent };
}

/** The comments right above an item belong to it, and go with it. */
function withOwnComments(text: string, start: number, indent: string): number {
  let at = start;
  while (at > 0) {
    const before = lineStart(text, at - 1);
    if (!text.slice(before, at).startsWith(`${indent}#`)) break;
    at = before;
  }
  return at;
}

function inserted(text: string, collection: Collection, lines: string[], flow: string): Splice {
  const last = collection.items.at(-1);
  const newline = newlineOf(text);
  if (collection.flow === true) {
    const [start, end] = rangeOf(collection);
    if (last === undefined) return { start: start + 1, end: end - 1, text: ` ${flow} ` };
    const at = itemEnd(text, last);
    const from = lineStart(text, rangeOf(itemNodes(last)[0])[0]);
    const lead = /^\s*/.exec(text.slice(from, at))?.[0] ?? "";
    const ownLine = from + lead.length === rangeOf(itemNodes(last)[0])[0] && from > start;
    return { start: at, end: at, text: ownLine ? `,${newline}${lead}${flow}` : `, ${flow}` };
  }
  if (last === undefined) throw new NoSplice();
  const { end, indent } = itemLines(text, last);
  const before = end > 0 && text[end - 1] !== "\n" ? newline : "";
  return { start: end, end, text: `${before}${indented(lines, indent, newline)}${newline}` };
}

function removed(text: string, collection: Collection, at: number): Splice {
  const item = collection.items[at];
  if (item === undefined) throw new NoSplice();
  // The only item of a block: what remains is an empty collection, which must be written on the line of its key.
  const isWhole = collection.flow !== true && itemLines(text, item).indent === "";
  if (collection.items.length === 1 && !isWhole) throw new NoSplice();
  if (collection.flow !== true) {
    const { start, end, indent } = itemLines(text, item);
    // Comments at the margin belong to the file and stay.
    return { start: indent === "" ? start : withOwnComments(text, start, indent), end, text: "" };
  }
  const next = collection.items[at + 1];
  const previous = collection.items[at - 1];
  if (next !== undefined) return { start: rangeOf(itemNodes(item)[0])[0], end: rangeOf(itemNodes(next)[0])[0], text: "" };
  if (previous === undefined) throw new NoSplice();
  return { start: itemEnd(text, previous), end: itemEnd(text, item), text: "" };
}

function replaced(text: string, collection: Collection, at: number, value: ConfigValue): Splice {
  const item = collection.items[at];
  if (item === undefined) throw new NoSplice();
  const isPair = "key" in item;
  const [first] = itemNodes(item);
  const node = isPair ? item.value : item;
  const end = itemEnd(text, item);
  const lines = collection.flow === true ? undefined : block(value);
  const newline = newlineOf(text);
  if (!isPair) {
    if (lines !== undefined) throw new NoSplice();
    return { start: rangeOf(first)[0], end, text: inline(value) };
  }
  // What is replaced begins after the colon.
  const colon = text.indexOf(":", rangeOf(first)[1]);
  if (colon < 0) throw new NoSplice();
  if (lines === undefined) {
    const from = node === null || rangeOf(node)[0] <= colon ? colon + 1 : rangeOf(node)[0];
    const sameLine = text.slice(colon + 1, from).includes("\n") ? colon + 1 : from;
    return { start: sameLine, end: Math.max(end, sameLine), text: `${sameLine === colon + 1 ? " " : ""}${inline(value)}` };
  }
  const { indent } = itemLines(text, item);
  const [head = "", ...rest] = typeof value === "string" ? lines : ["", ...lines];
  const body = typeof value === "string" ? indented(rest, indent, newline) : indented(rest, `${indent}  `, newline);
  return { start: colon + 1, end: Math.max(end, colon + 1), text: `${head === "" ? "" : ` ${head}`}${newline}${body}` };
}

const indexIn = (collection: Collection, part: string | number): number =>
  isMap(collection)
    ? (collection.items as Pair<Node, Node | null>[]).findIndex(({ key }) => keyText(key) === String(part))
    : typeof part === "number" && part < collection.items.length
      ? part
      : -1;

const wrapped = (path: Path, value: ConfigValue): ConfigValue =>
  path.reduceRight<ConfigValue>((inner, part) => (part === 0 ? [inner] : { [part]: inner }), value);

function spliceAt(text: string, collection: Collection, path: Path, value: ConfigValue | undefined): Splice {
  const [part = "", ...rest] = path;
  const at = indexIn(collection, part);
  if (at < 0) {
    if (value === undefined) return { start: 0, end: 0, text: "" };
    const whole = wrapped(rest, value);
    if (isMap(collection)) return inserted(text, collection, pairLines(String(part), whole), `${JSON.stringify(String(part))}: ${exactJson(whole)}`);
    return inserted(text, collection, hung(whole), exactJson(whole));
  }
  const item = collection.items[at] as Pair<Node, Node | null> | Node;
  const inner = "key" in item ? item.value : item;
  // An empty collection in a block is replaced by a block.
  const opens = (isMap(inner) || isSeq(inner)) && (inner.items.length > 0 || collection.flow === true);
  if (rest.length > 0 && opens) return spliceAt(text, inner as Collection, rest, value);
  if (value === undefined) return removed(text, collection, at);
  return replaced(text, collection, at, wrapped(rest, value));
}

/**
 * The text with one value changed, or removed where it is undefined.
 * @returns undefined where that is not possible without laying out more than the value itself
 */
export function splicedText(text: string, path: Path, value: ConfigValue | undefined): string | undefined {
  const root = parseSettings(text).contents;
  try {
    if (root === null || (isScalar(root) && root.value === null)) {
      if (value === undefined) return text;
      const newline = newlineOf(text);
      const before = text === "" || text.endsWith("\n") ? "" : newline;
      const [first = "", ...rest] = path;
      return `${text}${before}${pairLines(String(first), wrapped(rest, value)).join(newline)}${newline}`;
    }
    if (!isMap(root)) return undefined;
    const { start, end, text: next } = spliceAt(text, root as Collection, path, value);
    return text.slice(0, start) + next + text.slice(end);
  } catch (thrown) {
    if (thrown instanceof NoSplice) return undefined;
    throw thrown;
  }
}
