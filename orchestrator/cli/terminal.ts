/** What the process's standard streams can do, and how a question is asked on them. */
import * as readline from "node:readline";
import { readEnv } from "../../common/env";
import { typedLine } from "../../common/typed-line";
import type { Session } from "./session";

/** A terminal's usual size, where it does not say. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** `TERM=dumb` understands no control sequence, so nothing is redrawn or coloured there. */
export function terminalOf(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Session["terminal"] {
  const isWatched = stdout.isTTY === true && readEnv("CI") === undefined;
  const isDumb = readEnv("TERM") === "dumb";
  return {
    interactive: isWatched && !isDumb,
    asks: isWatched && stdin.isTTY === true,
    colour: stdout.isTTY === true && !isDumb && readEnv("NO_COLOR") === undefined,
    columns: () => stdout.columns ?? DEFAULT_COLUMNS,
    rows: () => stdout.rows ?? DEFAULT_ROWS,
  };
}

/** The terminal edits the line and turns Ctrl-C into a signal, as it does for any program. */
export async function askAt(stdin: NodeJS.ReadStream, write: (text: string) => void, question: string): Promise<string | undefined> {
  write(question);
  const reader = readline.createInterface({ input: stdin, terminal: false });
  const answer = await typedLine(reader);
  // No input for a next question is lost here: a terminal delivers one line at a time.
  stdin.pause();
  if (answer === undefined) write("\n");
  return answer;
}
