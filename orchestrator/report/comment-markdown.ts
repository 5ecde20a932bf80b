/** Pieces of Markdown with untrusted text. Each closes what it opens, and is no longer than its budget. */

/** A line of a comment, in characters. */
const LINE = 400;

/** Control characters, and characters that are invisible or change the direction of text: a reader must see what is there. */
const INVISIBLE = /(?![\t\n])\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Variation_Selector}/gu;
/** Unpaired surrogates, as in text that was cut inside a character: no host accepts them. */
const HALF = /\p{Surrogate}/gu;

/** Characters as both hosts count them for their limits: code points (Ruby's `String#length`). */
export function lengthOf(text: string): number {
  let pairs = 0;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) pairs++;
  return text.length - pairs;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** UTF-16 units before and after a cut in which graphemes are looked for. Even emoji of flags and families are shorter. */
const WINDOW = 64;

/** The beginning of a text, of at most `most` code points. Neither a surrogate pair nor a grapheme is cut in two. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (let count = 0; count < most && end < text.length; count++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  if (end >= text.length) return text;
  const from = Math.max(0, end - WINDOW);
  let whole = from;
  for (const { index } of graphemes.segment(text.slice(from, end + WINDOW))) if (from + index <= end) whole = from + index;
  return text.slice(0, whole);
}

/** Text made harmless: no mention, no HTML, no end of a fence, of a folded block or of a table's cell. Line ends stay. */
export function harmless(text: string): string {
  return text
    .replaceAll(HALF, "\ufffd")
    .replaceAll(INVISIBLE, "")
    .replaceAll("`", "ʼ")
    .replaceAll("<", "‹")
    .replaceAll(">", "›")
    .replaceAll("|", "¦")
    .replaceAll("@", "@\u200b");
}

/** A harmless line, cut first: a line may be a whole file. */
const safe = (line: string): string => {
  const begin = cut(line, 2 * LINE);
  const text = harmless(begin);
  const shown = cut(text, LINE);
  return shown.length < text.length || begin.length < line.length ? `${shown}…` : shown;
};

/** One line, as code. */
export const inline = (text: string): string =>
  `\`${
    safe(
      cut(text, 4 * LINE)
        .replaceAll(/\s+/g, " ")
        .trim(),
    ) || " "
  }\``;

/** As many lines as fit, and how many do not. @param shown what is written of a line */
function within(lines: readonly string[], budget: number, shown: (line: string) => string): string[] {
  const more = (count: number): string => `… ${count} more lines are left out here; the run's report has them all`;
  const kept: string[] = [];
  let left = budget - more(lines.length).length - 1;
  for (const [i, raw] of lines.entries()) {
    const line = shown(raw);
    left -= lengthOf(line) + 1;
    if (left < 0) return [...kept, more(lines.length - i)];
    kept.push(line);
  }
  return kept;
}

/** Lines of text, which may hold line ends themselves. */
const linesOf = (texts: readonly string[]): string[] => texts.flatMap((text) => text.split("\n"));

/** A title and a fence; "" where not even a line would fit. */
export function fenced(title: string, language: string, lines: readonly string[], budget: number): string {
  const [open, close] = [`${title}\n\n\`\`\`${language}\n`, "\n```"];
  const room = budget - lengthOf(open) - close.length;
  return room < 2 * LINE ? "" : `${open}${within(linesOf(lines), room, safe).join("\n")}${close}`;
}

/** A folded block. Where its lines would not fit, it only says so; "" where not even that fits. */
export function folded(summary: string, language: string, lines: readonly string[], budget: number): string {
  const [open, close] = [`<details><summary>${safe(summary)}</summary>\n\n`, "\n\n</details>"];
  const room = budget - lengthOf(open) - close.length;
  const fence = `\`\`\`${language}\n`;
  if (room >= 2 * LINE) return `${open}${fence}${within(linesOf(lines), room - fence.length - 4, safe).join("\n")}\n\`\`\`${close}`;
  const short = `${open}too long for a comment; see the run's report${close}`;
  return lengthOf(short) <= budget ? short : "";
}

/** A title and a line for each item; "" where there is none. @param items Markdown of ours, made of {@link inline} */
export function bulletList(title: string, items: readonly string[], budget: number): string {
  if (items.length === 0) return "";
  const open = `### ${title}\n\n`;
  return `${open}${within(items, budget - lengthOf(open), (item) => `- ${item}`).join("\n")}`;
}

/** Characters that a block has at least: fewer would leave out even its first line. */
const BLOCK = 1_000;

/**
 * Blocks that share a budget, so that a long one does not push out another. Where there are too many for it, the first and a line of how many
 * are left out.
 */
export function sharing<T>(items: readonly T[], budget: number, block: (item: T, budget: number) => string, more: (count: number) => string): string {
  const share = Math.max(BLOCK, Math.floor(budget / Math.max(1, items.length)));
  const parts: string[] = [];
  let left = budget;
  for (const [i, item] of items.entries()) {
    const part = block(item, share);
    left -= lengthOf(part) + 2;
    if (left < 0) return [...parts, more(items.length - i)].join("\n\n");
    parts.push(part);
  }
  return parts.join("\n\n");
}
