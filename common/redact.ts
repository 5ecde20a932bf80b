/**
 * Keeps secrets out of everything that leaves a process. Each decrypted or generated value is registered once; `redact` then
 * replaces it wherever it appears, in every form that our own outputs and the tools below us are known to give it.
 */
import { needlesOf, squeeze } from "./redact-forms";
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

/** Places in a text, found in the same text without its white space. */
function findSqueezed(search: SubstringSearch, text: string): Interval[] {
  const { squeezed, positions } = squeeze(text);
  return search.find(squeezed).map(([start, end]) => [positions[start] as number, (positions[end - 1] as number) + 1]);
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

/** A redactor with no secrets yet. One per process; pass it on rather than make a second. */
export function createRedactor(): Redactor {
  const values = new Set<string>();
  const exact = new SubstringSearch(MIN_LENGTH);
  const squeezed = new SubstringSearch(SQUEEZED_WINDOW);

  const find = (text: string): Interval[] => {
    if (exact.empty || text.length < MIN_LENGTH) return [];
    const direct = exact.find(text);
    const wrapped = !squeezed.empty && (text.includes("\n") || text.includes("\\n"));
    return wrapped ? joinIntervals(direct, findSqueezed(squeezed, text)) : direct;
  };
  const redact = (text: string): string => replaced(text, find(text));
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
      const needles = needlesOf(value);
      for (const needle of needles.exact) exact.add(needle);
      for (const needle of needles.squeezed) squeezed.add(needle);
    },
    redact,
    redactDeep: <T>(value: T) => redactDeep(value) as T,
    stream(sink) {
      let held = "";
      return {
        write(chunk) {
          held += chunk;
          const intervals = find(held);
          let end = exact.openEnd(held);
          // A secret that begins before the open end and reaches into it is held back too.
          for (const [start, stop] of [...intervals].reverse()) if (start < end && end < stop) end = start;
          if (end === 0) return;
          sink(
            replaced(
              held.slice(0, end),
              intervals.filter(([, stop]) => stop <= end),
            ),
          );
          held = held.slice(end);
        },
        end() {
          if (held !== "") sink(redact(held));
          held = "";
        },
      };
    },
  };
}
