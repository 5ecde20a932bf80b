/** All texts that can stand for a value: the forms that our own outputs and the tools below us are known to give it. */
import { isWorthHiding, MIN_LENGTH } from "./redact-worth";

/** A line of a longer value says enough to be hidden from this length on. */
const MIN_LINE_LENGTH = 8;
/** A word inside a line of a longer value, from this length on: a key or a token that stands alone elsewhere. */
const MIN_WORD_LENGTH = 20;
/** `base64` and PEM break lines at 64 or 76 characters: a shorter base64 text that stands alone is never broken. */
const SHORTEST_WRAPPED = 57;

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
    ...base64Cores(value),
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

/**
 * A text without what layout adds or removes: white space, and the escapes that stand for it.
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
      const next = text.charCodeAt(at + 1);
      if (next === N || next === R || next === T) {
        at++;
        continue;
      }
    }
    kept[length] = code;
    positions[length++] = at;
  }
  return { squeezed: Buffer.from(kept.buffer, 0, length * 2).toString("utf16le"), positions };
}

/** What to search for, as it is (`exact`) and in a text from which all white space was removed (`squeezed`). */
export function needlesOf(value: string): { exact: string[]; squeezed: string[] } {
  // Without outer white space: whatever form the whole value takes, that of the trimmed text is in it.
  const text = value.trim().replaceAll("\r\n", "\n");
  const lines = text.split("\n").map((line) => line.trim());
  const parts = lines.length > 1 ? partsOf(lines) : [];
  const exact = [text, ...parts].flatMap(formsOf).filter((needle) => needle.trim().length >= MIN_LENGTH);
  const wrapped = [...(lines.length > 1 ? [squeeze(text).squeezed] : []), ...base64Cores(text)];
  return { exact: [...new Set(exact)], squeezed: [...new Set(wrapped.filter((needle) => needle.length >= SHORTEST_WRAPPED))] };
}
