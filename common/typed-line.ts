import type { Interface } from "node:readline";

/** The next line that is typed; the reader is closed then. @returns undefined where the input ends before */
export function typedLine(reader: Interface): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer: string | undefined;
    reader.once("line", (line) => {
      answer = line;
      reader.close();
    });
    reader.once("close", () => resolve(answer));
  });
}
