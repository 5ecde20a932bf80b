import type { Interface } from "node:readline";

/** The next line that is typed. The reader is closed afterwards. @returns undefined where the input ends first */
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
