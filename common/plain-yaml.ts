/** YAML of many objects, quickly: byte for byte what {@link portableYaml} writes, without a node of the library for each value. */
import { portableYaml } from "./yaml";

const OPTIONS = { aliasDuplicateObjects: false } as const;
const INDENT = "  ";

/** Texts that stand for themselves in YAML 1.1 and 1.2, as a key and as a value. The library decides about all others. */
const PLAIN = /^[A-Za-z/](?:[\w./@-]|:(?=[\w/@-]))*$/;
/** Texts of that form that stand for something else. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|e\d+)$/i;
/** A key that is much longer is written in another form. */
const MAX_KEY = 100;

const isPlain = (text: string): boolean => PLAIN.test(text) && !RESERVED.test(text);

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** A list or a plain object: no Date, no Map, and nothing with a `toJSON` of its own. */
const isPlainObject = (value: object): boolean =>
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) && typeof Reflect.get(value, "toJSON") !== "function";

/** @param before what each line but the first begins with, unless it is empty */
const indented = (text: string, before: string): string => text.replaceAll(/\n(?=[^\n])/g, `\n${before}`);

/** The library's lines of a list or a map, as they are at the top of a document, or below it: `---` is a text there. */
const linesByLibrary = (value: object, before: string): string =>
  before === ""
    ? portableYaml(value, OPTIONS).slice(0, -1)
    : indented(portableYaml({ a: value }, OPTIONS).slice("a:\n  ".length, -1).replaceAll(`\n${INDENT}`, "\n"), before);

/** The library's text of a value, as it stands after its key. */
const byLibrary = (value: unknown): string => portableYaml({ key: value }, OPTIONS).slice("key: ".length, -1);

const texts = new Map<string, string>();

/** The text of a value that is neither a list nor a map. */
function scalar(value: unknown, before: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (typeof value !== "string") return indented(byLibrary(value), before);
  if (isPlain(value)) return value;
  const text = texts.get(value) ?? byLibrary(value);
  texts.set(value, text);
  return indented(text, before);
}

function pair(key: string, value: unknown, before: string): string {
  if (key.length > MAX_KEY || !isPlain(key) || (isObject(value) && !isPlainObject(value))) return linesByLibrary({ [key]: value }, before);
  if (!isObject(value)) return `${key}: ${scalar(value, before)}`;
  const text = collection(value, before + INDENT);
  return text === EMPTY_LIST || text === EMPTY_MAP ? `${key}: ${text}` : `${key}:\n${before}${INDENT}${text}`;
}

function item(value: unknown, before: string): string {
  if (isObject(value) && !isPlainObject(value)) return linesByLibrary([value], before);
  return `- ${isObject(value) ? collection(value, before + INDENT) : scalar(value, before)}`;
}

const EMPTY_LIST = "[]";
const EMPTY_MAP = "{}";

/** The lines of a list or a map, joined; the first one without its indentation. */
function collection(value: object, before: string): string {
  const lines = Array.isArray(value)
    ? value.map((part: unknown) => item(part ?? null, before))
    : Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [pair(key, part, before)]));
  if (lines.length > 0) return lines.join(`\n${before}`);
  return Array.isArray(value) ? EMPTY_LIST : EMPTY_MAP;
}

/** Objects as documents, one after the other: no line is folded, and none refers to another. */
export const plainDocuments = (values: readonly object[]): string => values.map((value) => `${collection(value, "")}\n`).join("---\n");
