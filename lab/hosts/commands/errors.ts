import type { ExecResult } from "just-bash";
import { asError } from "../../../common/errors";
import { absolute, fail, type HostCommand, type Invocation } from "../command";

/** The real program's messages for a file without permission, and for one that does not exist. */
type Wording = (name: string, refused: boolean) => string;

const NO_FILE = "No such file or directory";

/** Runs just-bash's own command and rewrites its error messages in the words of the real program. */
function reworded(command: string, patterns: readonly [RegExp, Wording][]): HostCommand {
  return async (run: Invocation): Promise<ExecResult> => {
    const original = run.shell.origCommand;
    if (!original) return fail(`${command}: not available`, 127);
    const result = await original(run.args);
    if (result.stderr === "") return result;
    const lines = await Promise.all(result.stderr.split("\n").map((line) => reword(run, line, patterns)));
    return { ...result, stderr: lines.join("\n") };
  };
}

async function reword(run: Invocation, line: string, patterns: readonly [RegExp, Wording][]): Promise<string> {
  for (const [pattern, wording] of patterns) {
    const name = pattern.exec(line)?.[1];
    if (name !== undefined) return wording(name, await isRefused(run, absolute(run, name)));
  }
  return line;
}

/** Whether a command failed on this file for lack of permission: the file exists, or is in a folder that may not be read. */
async function isRefused(run: Invocation, file: string): Promise<boolean> {
  try {
    await run.shell.fs.stat(file);
    return true;
  } catch (error) {
    return /^EACCES/.test(asError(error).message);
  }
}

/** just-bash has the same message for a missing file and for one that may not be read, and words of its own for other refusals. */
export const REWORDED_COMMANDS: Record<string, HostCommand> = {
  cat: reworded("cat", [[/^cat: (.+): No such file or directory$/, (name, refused) => `cat: ${name}: ${refused ? "Permission denied" : NO_FILE}`]]),
  ls: reworded("ls", [[/^ls: (.+): No such file or directory$/, (name) => `ls: cannot access '${name}': ${NO_FILE}`]]),
  mkdir: reworded("mkdir", [[/^mkdir: cannot create directory '(.+)': EACCES: /, (name) => `mkdir: cannot create directory '${name}': Permission denied`]]),
  chmod: reworded("chmod", [
    [
      /^chmod: cannot access '(.+)': No such file or directory$/,
      (name, refused) => (refused ? `chmod: changing permissions of '${name}': Operation not permitted` : `chmod: cannot access '${name}': ${NO_FILE}`),
    ],
  ]),
};
