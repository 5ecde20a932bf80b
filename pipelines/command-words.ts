/** Splits a pipeline's command into words, so that the words that are checked and run here are those that the host's shell would run. */

/** One program with its words, in a pipe of one or more. Variables stay as they are written, `$NAME`. */
export type Words = readonly string[];

/** Characters that are operators or expansions of a shell. The only expansion that is allowed is a variable in double quotes. */
const OPERATOR = /[;&<>()`\\*?[\]{}!#~\n]/;

function fail(command: string, why: string): never {
  throw new Error(`${command}: ${why}; a step is a program and its words`);
}

interface Reading {
  words: string[];
  word: string | undefined;
}

/** @returns the position after the closing quote */
function quoted(command: string, from: number, reading: Reading): number {
  const quote = command[from];
  const end = command.indexOf(quote ?? "", from + 1);
  if (end < 0) fail(command, `the quote at ${from + 1} is not closed`);
  const text = command.slice(from + 1, end);
  if (quote === '"' && /[`\\]|\$(?![A-Z_])/.test(text)) fail(command, "in double quotes only $NAME is expanded");
  if (quote === "'" && text.includes("$")) fail(command, "a $ in single quotes is no variable");
  reading.word = (reading.word ?? "") + text;
  return end + 1;
}

/**
 * Splits a command as a shell does.
 * @throws Error for an operator, an expansion that is not `"$NAME"`, and an expression of GitHub's
 */
export function splitCommand(command: string): Words[] {
  if (command.includes("${{")) fail(command, "an expression becomes part of the script before the shell reads it");
  const pipe: string[][] = [];
  const reading: Reading = { words: [], word: undefined };
  const endWord = (): void => {
    if (reading.word !== undefined) reading.words.push(reading.word);
    reading.word = undefined;
  };
  const endProgram = (): void => {
    endWord();
    if (reading.words.length === 0) fail(command, "a program is missing");
    pipe.push(reading.words);
    reading.words = [];
  };
  for (let at = 0; at < command.length; ) {
    const char = command[at] ?? "";
    if (char === '"' || char === "'") {
      at = quoted(command, at, reading);
      continue;
    }
    if (char === "$") fail(command, 'a variable stands in double quotes: "$NAME"');
    if (char === "|" && command[at + 1] !== "|") endProgram();
    else if (OPERATOR.test(char) || char === "|") fail(command, `${char} is an operator of the shell`);
    else if (char === " ") endWord();
    else reading.word = (reading.word ?? "") + char;
    at++;
  }
  endProgram();
  return pipe;
}
