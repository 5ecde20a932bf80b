/** All texts that can stand for a value: the forms that our own outputs and the tools below us are known to give it. */
import { isWorthHiding, MIN_LENGTH } from "./redact-worth";
import type { Interval } from "./substring-search";

/** A line of a longer value says enough to be hidden from this length on. */
const MIN_LINE_LENGTH = 8;
/** A word inside a line of a longer value, from this length on: a key or a token that stands alone elsewhere. */
const MIN_WORD_LENGTH = 20;
/** From this length on a text is also searched without any white space. Shorter ones are searched where base64 lines are broken. */
const MIN_SQUEEZED = 57;
/** A line of base64 that goes on in the next one has at least this many characters: tools break lines at 64 or 76, or where they are told to. */
export const MIN_BROKEN_LINE = 16;

/** The characters of base64 that depend on the value alone, whatever stands before and after it in the encoded text. */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const cores: string[] = [bytes.toString("base64"), bytes.toString("base64url")];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const core = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    cores.push(core, core.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return cores;
}

const jsonEscape = (value: string): string => JSON.stringify(value).slice(1, -1);

/** Go's encoder, which the Pulumi CLI and the providers use, also escapes these. */
const goJsonEscape = (value: string): string => jsonEscape(value).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");

const asciiJsonEscape = (value: string): string =>
  jsonEscape(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function urlForms(value: string): string[] {
  // A lone surrogate has no URL form (encodeURIComponent throws on it).
  const wellFormed = value.replace(/[\ud800-\udfff]/gu, "\ufffd");
  const component = encodeURIComponent(wellFormed);
  const strict = component.replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return [component, strict, strict.replaceAll("%20", "+"), component.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()), encodeURI(wellFormed)];
}

const htmlEscape = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const shellForms = (value: string): string[] => [
  value.replaceAll("'", `'\\''`),
  value.replaceAll("'", `'"'"'`),
  // Inside double quotes, and with a backslash before each special character (bash's printf %q).
  value.replace(/[$`"\\]/g, "\\$&"),
  value.replace(/[^A-Za-z0-9_@%+=:,./\n-]/g, "\\$&"),
];

function formsOf(value: string): string[] {
  return [
    value,
    value.replaceAll("\n", "\r\n"),
    jsonEscape(value),
    goJsonEscape(value),
    asciiJsonEscape(value),
    jsonEscape(jsonEscape(value)),
    ...urlForms(value),
    ...shellForms(value),
    htmlEscape(value),
    htmlEscape(value).replaceAll("'", "&#39;"),
    htmlEscape(value).replaceAll("'", "&#x27;"),
  ];
}

/** The lines of a value of several lines that are worth hiding alone, and the long words in them. */
function partsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (line.length < MIN_LINE_LENGTH || !isWorthHiding(line)) return [];
    const words = line.split(/[\s"',:=]+/).filter((word) => word.length >= MIN_WORD_LENGTH && isWorthHiding(word));
    // A line such as `apiVersion: v1` or `current-context: dev` is in every kubeconfig, and is no secret.
    const telling = words.length > 0 || !/^[\w.-]+:(\s+[\w./-]{0,40})?$|^- [\w:./ -]{0,40}$/.test(line);
    return telling ? [line, ...words] : [];
  });
}

const BACKSLASH = "\\".charCodeAt(0);
const [N, R, T] = [..."nrt"].map((c) => c.charCodeAt(0));
const SPACE = 32;
/** JSON in JSON in JSON in JSON has eight backslashes for one. More are no escape. */
const MAX_BACKSLASHES = 8;

/**
 * A text without what layout adds or removes: white space, and the escapes that stand for it (`\\n` in JSON, `\\\\n` in JSON in JSON).
 * @returns the text, and where in the whole each of its characters stood
 */
export function squeeze(text: string): { squeezed: string; positions: Int32Array } {
  const kept = new Uint16Array(text.length);
  const positions = new Int32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= SPACE) continue;
    if (code === BACKSLASH) {
      let escaped = at + 1;
      while (text.charCodeAt(escaped) === BACKSLASH && escaped < at + MAX_BACKSLASHES) escaped++;
      const next = text.charCodeAt(escaped);
      if (next === N || next === R || next === T) {
        at = escaped;
        continue;
      }
    }
    kept[length] = code;
    positions[length++] = at;
  }
  return { squeezed: Buffer.from(kept.buffer, 0, length * 2).toString("utf16le"), positions };
}

const isBase64 = (code: number): boolean =>
  (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || (code >= 0x2f && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x5f;

/** A line end after a line of base64, with the indentation of the next line, which is base64 too. */
const BROKEN_LINE = new RegExp(
  String.raw`(?:[\r\n]|\\{1,${MAX_BACKSLASHES}}[nr])(?<=[A-Za-z0-9+/_-]{${MIN_BROKEN_LINE}}(?:[\r\n]|\\{1,${MAX_BACKSLASHES}}[nr]))(?:\s|\\{1,${MAX_BACKSLASHES}}[nrt])*(?=[A-Za-z0-9+/_-])`,
  "g",
);

/** The first index of the base64 characters that end at the given one. */
export function startOfBase64(text: string, end: number): number {
  let start = end;
  while (start > 0 && isBase64(text.charCodeAt(start - 1))) start--;
  return start;
}

/** Where in a text base64 of several lines stands. Words that meet at a line end are not of that kind unless the first has 16 characters. */
export function brokenBase64(text: string): Interval[] {
  const blocks: [number, number][] = [];
  for (const { index, 0: between } of text.matchAll(BROKEN_LINE)) {
    let end = index + between.length;
    while (isBase64(text.charCodeAt(end))) end++;
    const last = blocks.at(-1);
    if (last?.[1] === index) last[1] = end;
    else blocks.push([startOfBase64(text, index), end]);
  }
  return blocks;
}

/** What to search for: as it is (`base64` of it in base64 of several lines too), and in a text without white space (`squeezed`). */
export function needlesOf(value: string): { exact: string[]; squeezed: string[]; base64: string[] } {
  // Without outer white space: whatever form the whole value takes, that of the trimmed text is in it.
  const text = value.trim().replaceAll("\r\n", "\n");
  const lines = text.split("\n").map((line) => line.trim());
  const parts = lines.length > 1 ? partsOf(lines) : [];
  const whole = base64Cores(text);
  const base64 = [...whole, ...parts.flatMap(base64Cores)].filter((needle) => needle.length >= MIN_LENGTH);
  const exact = [text, ...parts].flatMap(formsOf).filter((needle) => needle.trim().length >= MIN_LENGTH);
  const squeezed = [squeeze(text).squeezed, ...whole].filter((needle) => needle.length >= MIN_SQUEEZED);
  return { exact: [...new Set([...exact, ...base64])], squeezed: [...new Set(squeezed)], base64 };
}
