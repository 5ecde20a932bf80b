/**
 * Runs a command line of `homelab` as a function call, with its output and exit code, without starting a process. Tests that need a
 * process (signals, a terminal, several at once) use run-command.ts.
 */
import { Readable } from "node:stream";
import { systemClock } from "../../common/clock";
import { createRedactor } from "../../common/redact";
import type { Session } from "../../orchestrator/cli/session";
import { createSinks } from "../../orchestrator/cli/sinks";
import { runToItsEnd } from "../../orchestrator/command-line";
import type { CommandResult } from "./run-command";

const COLUMNS = 80;
const ROWS = 24;

/** One call at a time: it changes this process's environment and standard input. @param env the command's whole environment */
export async function runHere(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, input: string | Buffer = ""): Promise<CommandResult> {
  const result: CommandResult = { code: null, out: "", err: "" };
  const redactor = createRedactor();
  const session: Session = {
    ...createSinks(redactor, { write: (text) => (result.out += text) }, { write: (text) => (result.err += text) }),
    terminal: { interactive: false, asks: false, colour: false, columns: () => COLUMNS, rows: () => ROWS },
    ask: () => Promise.reject(new Error("there is no terminal to ask at")),
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  const before = { env: process.env, stdin: Object.getOwnPropertyDescriptor(process, "stdin") };
  process.env = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  Object.defineProperty(process, "stdin", { configurable: true, value: Readable.from([Buffer.from(input)]) });
  try {
    result.code = await runToItsEnd(argv, session);
  } finally {
    process.env = before.env;
    Object.defineProperty(process, "stdin", before.stdin ?? { configurable: true, value: undefined });
  }
  return result;
}
