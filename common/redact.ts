/**
 * Keeps secrets out of everything that leaves a process. Each decrypted or generated value is registered once; `redact` then
 * replaces it wherever it appears, in every form that our own outputs and the tools below us are known to give it.
 */

/** What stands in the place of a secret. */
export const REDACTED = "[secret]";

/** A value below this length would turn ordinary output into noise, and is no secret worth the name. */
const MIN_LENGTH = 6;
/** A line of a longer value, or a piece of base64, says enough to be hidden from this length on. */
const MIN_PART_LENGTH = 8;

const COMMON_WORDS = new Set(
  "access account active admin administrator bucket cluster config default developer disabled enabled engine example external homelab ingress internal localhost namespace normal operator password postgres private production project public pulumi region registry release secret server service staging standard suporte system terraform testing traefik ubuntu unknown username values version yes true false null none undefined".split(
    " ",
  ),
);

/** Names and places that SOPS files hold beside real secrets: hosts, addresses, ports, URLs without credentials, paths. */
const PLAIN_PLACES = [
  /^\d{1,5}$/,
  /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?(:\d{1,5})?$/,
  /^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\.)+[a-z]{2,10}(:\d{1,5})?$/,
  /^[a-z][a-z0-9+]*:\/\/[^/@\s]+(\/[a-z0-9._/-]*)?$/,
  /^(\/[A-Za-z0-9._-]+)+$/,
  /^-----(BEGIN|END) [A-Z0-9 ]+-----$/,
];

/** Whether a value is kept out of the output at all; false for short and for common ones. */
export function isWorthHiding(value: string): boolean {
  const trimmed = value.trim();
  return trimmed.length >= MIN_LENGTH && !COMMON_WORDS.has(trimmed.toLowerCase()) && !PLAIN_PLACES.some((pattern) => pattern.test(trimmed));
}

/** The characters of base64 that depend on the value alone, whatever stands before and after it in the encoded text. */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const cores: string[] = [bytes.toString("base64"), bytes.toString("base64url")];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    const core = encoded.slice(from, to);
    if (core.length >= MIN_PART_LENGTH) cores.push(core, core.replaceAll("+", "-").replaceAll("/", "_"));
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

/** Every text that stands for the value: plain, base64, JSON, URL, shell and HTML. */
function formsOf(value: string): string[] {
  return [
    value,
    ...base64Cores(value),
    jsonEscape(value),
    goJsonEscape(value),
    asciiJsonEscape(value),
    jsonEscape(jsonEscape(value)),
    ...urlForms(value),
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", `'"'"'`),
    htmlEscape(value),
    htmlEscape(value).replaceAll("'", "&#39;"),
    htmlEscape(value).replaceAll("'", "&#x27;"),
  ];
}

function needlesOf(value: string): string[] {
  const trimmed = value.trim();
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim());
  const parts = lines.length > 1 ? lines.filter((line) => line.length >= MIN_PART_LENGTH && isWorthHiding(line)) : [];
  return [...new Set([...formsOf(value), ...formsOf(trimmed), ...parts.flatMap(formsOf)])].filter((needle) => needle.length >= MIN_LENGTH);
}

export interface Redactor {
  /** Remembers a value; short and common ones are ignored ({@link isWorthHiding}). */
  register(value: string): void;
  /** The text with every form of every registered value replaced by {@link REDACTED}. */
  redact(text: string): string;
}

/** A redactor with no secrets yet. One per process; pass it on rather than make a second. */
export function createRedactor(): Redactor {
  const values = new Set<string>();
  const needles = new Set<string>();
  let pattern: RegExp | undefined;
  return {
    register(value) {
      if (values.has(value) || !isWorthHiding(value)) return;
      values.add(value);
      for (const needle of needlesOf(value)) needles.add(needle);
      pattern = undefined;
    },
    redact(text) {
      if (needles.size === 0) return text;
      // Longest first: a value that contains another one disappears whole.
      pattern ??= new RegExp(
        [...needles]
          .sort((a, b) => b.length - a.length)
          .map((n) => n.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"))
          .join("|"),
        "g",
      );
      return text.replace(pattern, REDACTED);
    },
  };
}
