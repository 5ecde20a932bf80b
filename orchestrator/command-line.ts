/** One command line of `homelab`: finds the command, and gives it its arguments. */
import * as fs from "node:fs";
import * as path from "node:path";
import { describeError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { parseCommandLine } from "./cli/arguments";
import { allCommands, findCommand } from "./cli/catalogue";
import type { NamedCommand } from "./cli/command";
import { EXIT } from "./cli/exit-codes";
import { exitCodeOf } from "./cli/exit-of-error";
import { helpText, overview } from "./cli/help";
import type { Session } from "./cli/session";

const isHelp = (word: string): boolean => word === "--help" || word === "-h";

const version = (): string => (JSON.parse(fs.readFileSync(path.join(projectRoot(), "package.json"), "utf8")) as { version: string }).version;

/** Prints the help that `--help` on a command's own line asks for. The line may name a verb. */
function helpOf(command: NamedCommand, words: readonly string[], session: Session): number {
  const verb = words.find((word) => Object.hasOwn(command.verbs ?? {}, word)) ?? "";
  session.out(helpText(command, verb, session.terminal.columns()));
  return EXIT.done;
}

/** Runs one command line. Throws HomelabError; usage errors have the code E_USAGE. */
export async function runCommandLine(argv: readonly string[], session: Session): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    session.out(overview(allCommands(), session.terminal.columns()));
    return EXIT.usage;
  }
  if (isHelp(name)) {
    session.out(overview(allCommands(), session.terminal.columns()));
    return EXIT.done;
  }
  if (name === "--version" || name === "-V") {
    session.out(`homelab ${version()}\n`);
    return EXIT.done;
  }
  const command = findCommand(name);
  const end = rest.indexOf("--");
  const own = end === -1 ? rest : rest.slice(0, end);
  if (own.some(isHelp)) return helpOf(command, own, session);
  const { args, verb } = parseCommandLine(command, rest);
  return command.run(args, session, verb);
}

/** Runs one command line, and prints the error that ends it. @returns its exit code */
export async function runToItsEnd(argv: readonly string[], session: Session): Promise<number> {
  try {
    return await runCommandLine(argv, session);
  } catch (thrown) {
    session.err(`error: ${describeError(thrown)}\n`);
    return exitCodeOf(thrown);
  }
}
