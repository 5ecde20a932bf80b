import { systemClock } from "../common/clock";
import { describeError, systemErrorCode } from "../common/errors";
import { createRedactor } from "../common/redact";
import { EXIT, type ExitCode } from "./cli/exit-codes";
import type { Session } from "./cli/session";
import { createSinks } from "./cli/sinks";
import { askAt, terminalOf } from "./cli/terminal";
import { runToItsEnd } from "./command-line";

const redactor = createRedactor();
const listeners = new Set<() => void>();

/** The reader of our output is gone: a closed pipe, as in `homelab up | head`, or a closed terminal. */
const READER_GONE = new Set(["EPIPE", "EIO"]);
let isRead = true;
/** Whether all of our output could be written where there was somebody to read it. */
let isWritten = true;

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

/** A run under way finishes what it has started. Where none is, nothing can be left half done, and the process ends at once. */
function interrupt(exitCode: ExitCode): void {
  if (listeners.size === 0) process.exit(exitCode);
  for (const listener of listeners) listener();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt(EXIT.interrupted));

process.stdout.on("error", (cause) => {
  if (!isRead) return;
  isRead = false;
  if (READER_GONE.has(systemErrorCode(cause) ?? "")) return interrupt(EXIT.done);
  // The disk of a log is full. A run that is under way must not be cut because of it.
  isWritten = false;
  session.err(`error: ${describeError(cause)}\n`);
  interrupt(EXIT.failed);
});
process.stderr.on("error", (cause) => {
  if (READER_GONE.has(systemErrorCode(cause) ?? "") || !isWritten) return;
  // Nobody can be told, but for the exit code and the run's report.
  isWritten = false;
  interrupt(EXIT.failed);
});

// Node would print these itself, without redaction.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (thrown: unknown) => {
    session.err(`error: ${describeError(thrown)}\n`);
    process.exit(EXIT.failed);
  });
}

void runToItsEnd(process.argv.slice(2), session).then((code) => {
  process.exitCode = isWritten || code !== EXIT.done ? code : EXIT.failed;
});
