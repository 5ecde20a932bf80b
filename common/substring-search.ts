/** Finds thousands of strings ("needles") in a text in one pass, by the algorithm of Wu and Manber: it skips places where no match can start. */

/** Where something was found: from `start` up to, not including, `end`. */
export type Interval = readonly [start: number, end: number];

const BLOCK = 3;
const TABLE_BITS = 18;
const TABLE_MASK = (1 << TABLE_BITS) - 1;

const blockHash = (text: string, at: number): number =>
  (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 6) ^ (text.charCodeAt(at + 2) << 12) ^ (text.charCodeAt(at + 1) >> 4)) & TABLE_MASK;

export class SubstringSearch {
  /** How far the window may move, by the hash of its last block. */
  readonly #shift = new Uint8Array(1 << TABLE_BITS);
  /** Needles by their first `window` characters, longest first. */
  readonly #byStart = new Map<string, string[]>();
  /** All beginnings of needles that are shorter than the window. */
  readonly #shortStarts = new Set<string>();
  #longest = 0;

  /** @param window no needle is shorter than this many characters; at least 3 */
  constructor(
    private readonly window: number,
    needles: Iterable<string> = [],
  ) {
    this.#shift.fill(window - BLOCK + 1);
    for (const needle of needles) this.add(needle);
  }

  get empty(): boolean {
    return this.#longest === 0;
  }

  add(needle: string): void {
    if (needle.length < this.window) throw new Error(`a needle of ${needle.length} characters is shorter than the window`);
    const start = needle.slice(0, this.window);
    const same = this.#byStart.get(start);
    if (same?.includes(needle)) return;
    if (same) {
      same.push(needle);
      same.sort((a, b) => b.length - a.length);
    } else this.#byStart.set(start, [needle]);
    this.#longest = Math.max(this.#longest, needle.length);
    for (let length = 1; length < this.window; length++) this.#shortStarts.add(needle.slice(0, length));
    for (let at = 0; at <= this.window - BLOCK; at++) {
      const hash = blockHash(needle, at);
      this.#shift[hash] = Math.min(this.#shift[hash] as number, this.window - BLOCK - at);
    }
  }

  /**
   * All places where a needle stands, in order; overlapping ones are joined.
   * @param wanted leaves out other needles
   */
  find(text: string, wanted?: ReadonlySet<string>): Interval[] {
    const found: [number, number][] = [];
    const last = text.length - this.window;
    for (let start = 0; start <= last; ) {
      const shift = this.#shift[blockHash(text, start + this.window - BLOCK)] as number;
      if (shift > 0) {
        start += shift;
        continue;
      }
      const needle = this.#byStart
        .get(text.slice(start, start + this.window))
        ?.find((candidate) => text.startsWith(candidate, start) && (wanted?.has(candidate) ?? true));
      if (needle !== undefined) join(found, start, start + needle.length);
      start++;
    }
    return found;
  }

  /** The first index from which the rest of the text is the beginning of a needle; the text's length if there is none. */
  openEnd(text: string): number {
    for (let start = Math.max(0, text.length - this.#longest + 1); start < text.length; start++) {
      if (text.length - start < this.window) {
        if (this.#shortStarts.has(text.slice(start))) return start;
        continue;
      }
      const candidates = this.#byStart.get(text.slice(start, start + this.window));
      if (candidates === undefined) continue;
      const rest = text.slice(start);
      if (candidates.some((candidate) => candidate.length > rest.length && candidate.startsWith(rest))) return start;
    }
    return text.length;
  }
}

function join(found: [number, number][], start: number, end: number): void {
  const previous = found.at(-1);
  if (previous !== undefined && start <= previous[1]) previous[1] = Math.max(previous[1], end);
  else found.push([start, end]);
}

/** Two lists of places as one, overlapping ones joined, in order. */
export function joinIntervals(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  if (b.length === 0) return [...a];
  const joined: [number, number][] = [];
  for (const [start, end] of [...a, ...b].sort((x, y) => x[0] - y[0])) join(joined, start, end);
  return joined;
}
