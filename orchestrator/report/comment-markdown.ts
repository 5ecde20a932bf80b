/** Pieces of Markdown that hold text of others: each is whole in itself, and no longer than its budget. */

/** A line of a comment, in characters. */
const LINE = 400;

/** Control characters, and those that turn the direction of text: what is read must be what is there. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text made harmless: no mention, no HTML, no end of a fence, of a folded block or of a table's cell. Line ends stay. */
export function harmless(text: string): string {
  return text.replaceAll(INVISIBLE, "").replaceAll("`", "ʼ").replaceAll("<", "‹").replaceAll(">", "›").replaceAll("|", "¦").replaceAll("@", "@\u200b");
}

/** A harmless line, cut first: a line may be a whole file. */
const safe = (line: string): string => {
  const text = harmless(line.slice(0, 2 * LINE));
  return text.length > LINE || line.length > 2 * LINE ? `${text.slice(0, LINE)}…` : text;
};

/** One line, as code. */
export const inline = (text: string): string =>
  `\`${
    safe(
      text
        .slice(0, 4 * LINE)
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
    left -= line.length + 1;
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
  const room = budget - open.length - close.length;
  return room < 2 * LINE ? "" : `${open}${within(linesOf(lines), room, safe).join("\n")}${close}`;
}

/** A block that is folded; without its lines where these would not fit, and "" where nothing does. */
export function folded(summary: string, language: string, lines: readonly string[], budget: number): string {
  const [open, close] = [`<details><summary>${safe(summary)}</summary>\n\n`, "\n\n</details>"];
  const room = budget - open.length - close.length;
  const fence = `\`\`\`${language}\n`;
  if (room >= 2 * LINE) return `${open}${fence}${within(linesOf(lines), room - fence.length - 4, safe).join("\n")}\n\`\`\`${close}`;
  const short = `${open}too long for a comment; see the run's report${close}`;
  return short.length <= budget ? short : "";
}

/** A title and a line for each item; "" where there is none. @param items Markdown of ours, made of {@link inline} */
export function bulletList(title: string, items: readonly string[], budget: number): string {
  if (items.length === 0) return "";
  const open = `### ${title}\n\n`;
  return `${open}${within(items, budget - open.length, (item) => `- ${item}`).join("\n")}`;
}
