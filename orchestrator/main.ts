import { systemClock } from "../common/clock";
import { describeError, HomelabError, systemErrorCode } from "../common/errors";
import { createRedactor } from "../common/redact";
import { EXIT, type ExitCode } from "./cli/exit-codes";
import { REFUSED } from "./cli/gate";
import type { Session } from "./cli/session";
import { createSinks } from "./cli/sinks";
import { askAt, terminalOf } from "./cli/terminal";
import { runCommandLine } from "./command-line";

/** Errors of who typed the command, which another command line mends. */
const USAGE_ERRORS = new Set(["E_USAGE", "E_STACK_UNKNOWN"]);

const redactor = createRedactor();
const listeners = new Set<() => void>();

const sinks = createSinks(redactor, process.stdout, process.stderr);
const session: Session = {
  ...sinks,
  terminal: terminalOf(process.stdin, process.stdout),
  ask: (question) => askAt(process.stdin, sinks.out, question),
  clock: systemClock,
  onInterrupt: (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  redactor,
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Nothing is under way that could be left half done: end like any program.
    if (listeners.size === 0) process.exit(EXIT.interrupted);
    for (const listener of listeners) listener();
  });
}

// Who read our output has left, as in `homelab secrets list | head`: nobody to tell anything.
process.stdout.on("error", (cause) => {
  if (systemErrorCode(cause) === "EPIPE") process.exit(EXIT.done);
  throw cause;
});

// Node would print these itself, past the redactor.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (thrown: unknown) => {
    session.err(`error: ${describeError(thrown)}\n`);
    process.exit(EXIT.failed);
  });
}

function exitCodeOf(thrown: unknown): ExitCode {
  if (!(thrown instanceof HomelabError)) return EXIT.failed;
  if (thrown.code === REFUSED) return EXIT.refused;
  return USAGE_ERRORS.has(thrown.code) ? EXIT.usage : EXIT.failed;
}

runCommandLine(process.argv.slice(2), session).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    session.err(`error: ${describeError(thrown)}\n`);
    process.exitCode = exitCodeOf(thrown);
  },
);
