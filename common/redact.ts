/**
 * Keeps secrets out of everything that leaves a process. Each decrypted or generated value is registered once; `redact` then
 * replaces it wherever it appears, in every form that our own outputs and the tools below us are known to give it.
 */
import { brokenBase64, MIN_BROKEN_LINE, needlesOf, squeeze, startOfBase64 } from "./redact-forms";
import { isWorthHiding, MIN_LENGTH } from "./redact-worth";
import { type Interval, joinIntervals, SubstringSearch } from "./substring-search";

/** What stands in the place of a secret. */
export const REDACTED = "[secret]";

/** Text that comes in pieces: a secret that is cut between two of them is still found. */
export interface RedactedStream {
  write(chunk: string): void;
  /** Gives on what was held back. */
  end(): void;
}

export interface Redactor {
  /** Remembers a value; short and common ones are ignored (isWorthHiding). */
  register(value: string): void;
  /** The text with every form of every registered value replaced by {@link REDACTED}. */
  redact(text: string): string;
  /** The same for every text inside a JSON value, keys included. */
  redactDeep<T>(value: T): T;
  /** @param sink gets the redacted text, as early as it is sure to hold nothing that goes on */
  stream(sink: (text: string) => void): RedactedStream;
}

/** The shortest needle of the squeezed kind is far longer; a longer window skips more. */
const SQUEEZED_WINDOW = 24;

/** Places in a part of a text, found in the same part without its white space. */
function findSqueezed(search: SubstringSearch, text: string, [from, to]: Interval = [0, text.length], wanted?: ReadonlySet<string>): Interval[] {
  const { squeezed, positions } = squeeze(text.slice(from, to));
  return search.find(squeezed, wanted).map(([start, end]) => [from + (positions[start] as number), from + (positions[end - 1] as number) + 1]);
}

/** The first index from which the rest of a text, without its white space, is the beginning of a needle; the text's length if there is none. */
function openSqueezed(search: SubstringSearch, text: string, from = 0): number {
  const { squeezed, positions } = squeeze(text.slice(from));
  const open = search.openEnd(squeezed);
  return open === squeezed.length ? text.length : from + (positions[open] as number);
}

function replaced(text: string, intervals: readonly Interval[]): string {
  if (intervals.length === 0) return text;
  const out: string[] = [];
  let at = 0;
  for (const [start, end] of intervals) {
    out.push(text.slice(at, start), REDACTED);
    at = end;
  }
  out.push(text.slice(at));
  return out.join("");
}

/** Finds the secrets in a text, in all their forms. */
class SecretSearch {
  readonly #exact = new SubstringSearch(MIN_LENGTH);
  readonly #squeezed = new SubstringSearch(SQUEEZED_WINDOW);
  /** Those of the exact needles that may also stand in base64 of several lines. */
  readonly #base64 = new Set<string>();

  add(value: string): void {
    const needles = needlesOf(value);
    for (const needle of needles.exact) this.#exact.add(needle);
    for (const needle of needles.squeezed) this.#squeezed.add(needle);
    for (const needle of needles.base64) this.#base64.add(needle);
  }

  find(text: string): Interval[] {
    if (this.#exact.empty || text.length < MIN_LENGTH) return [];
    const direct = this.#exact.find(text);
    if (!text.includes("\n") && !text.includes("\\n")) return direct;
    const inBase64 = brokenBase64(text).flatMap((block) => findSqueezed(this.#exact, text, block, this.#base64));
    return joinIntervals(direct, this.#squeezed.empty ? inBase64 : [...inBase64, ...findSqueezed(this.#squeezed, text)]);
  }

  /**
   * Up to where a text, which will go on, holds nothing that may be the beginning of a secret.
   * @param found the secrets that are whole
   */
  sureEnd(text: string, found: readonly Interval[]): number {
    // A line end may follow, or the second half of an escape that stands for one.
    const line = text.replace(/\\{1,8}$/, "");
    const base64 = brokenBase64(`${line}A`).at(-1)?.[0] ?? startOfBase64(line, line.length);
    const wrapped = Math.min(openSqueezed(this.#squeezed, line), openSqueezed(this.#exact, line, base64));
    let end = Math.min(this.#exact.openEnd(text), wrapped === line.length ? text.length : wrapped);
    // A secret that begins before the open end and reaches into it is held back too.
    for (const [start, stop] of [...found].reverse()) if (start < end && end < stop) end = start;
    return end;
  }
}

function streamOf(search: SecretSearch, sink: (text: string) => void): RedactedStream {
  /** The base64 characters before `held`, which were given on: they show that a line end in `held` is one of broken base64. */
  let told = "";
  let held = "";
  const giveOn = (text: string, found: readonly Interval[], end: number): void => {
    const from = told.length;
    if (end <= from) return;
    const whole = found.filter(([start, stop]) => start >= from && stop <= end).map(([start, stop]): Interval => [start - from, stop - from]);
    sink(replaced(text.slice(from, end), whole));
    told = text.slice(Math.max(startOfBase64(text, end), end - MIN_BROKEN_LINE), end);
    held = text.slice(end);
  };
  return {
    write(chunk) {
      held += chunk;
      const text = told + held;
      const found = search.find(text);
      giveOn(text, found, search.sureEnd(text, found));
    },
    end() {
      const text = told + held;
      giveOn(text, search.find(text), text.length);
    },
  };
}

/** A redactor with no secrets yet. One per process; pass it on rather than make a second. */
export function createRedactor(): Redactor {
  const values = new Set<string>();
  const search = new SecretSearch();
  const redact = (text: string): string => replaced(text, search.find(text));
  const redactDeep = (value: unknown): unknown => {
    if (typeof value === "string") return redact(value);
    if (Array.isArray(value)) return value.map(redactDeep);
    if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), redactDeep(item)]));
    return value;
  };
  return {
    register(value) {
      if (values.has(value) || !isWorthHiding(value)) return;
      values.add(value);
      search.add(value);
    },
    redact,
    redactDeep: <T>(value: T) => redactDeep(value) as T,
    stream: (sink) => streamOf(search, sink),
  };
}
