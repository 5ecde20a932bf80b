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

/** Who read our output has left: a closed pipe, as in `homelab up | head`, or a terminal that is gone. */
const READER_GONE = new Set(["EPIPE", "EIO"]);
let isRead = true;

const sinks = createSinks(redactor, { write: (text) => isRead && process.stdout.write(text) }, process.stderr);
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

/** A run under way finishes what it has started. Where there is none, nothing can be left half done: end like any program. */
function interrupt(exitCode: ExitCode): void {
  if (listeners.size === 0) process.exit(exitCode);
  for (const listener of listeners) listener();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt(EXIT.interrupted));

process.stdout.on("error", (cause) => {
  if (!READER_GONE.has(systemErrorCode(cause) ?? "")) throw cause;
  if (isRead) {
    isRead = false;
    interrupt(EXIT.done);
  }
});
process.stderr.on("error", (cause) => {
  if (!READER_GONE.has(systemErrorCode(cause) ?? "")) throw cause;
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
