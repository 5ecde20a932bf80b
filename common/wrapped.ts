/** Text for a terminal of any width, wrapped at spaces. A word that is wider than the terminal stays whole: the terminal breaks it. */

/** Lines of at most this many columns. Line breaks of the text stay. */
export function wrapped(text: string, columns: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > columns) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });
}

/** The same with each line indented. */
export const indented = (text: string, columns: number, indent: string): string =>
  wrapped(text, columns - indent.length)
    .map((line) => `${indent}${line}`)
    .join("\n");
