import { systemClock } from "../common/clock";
import { readEnv } from "../common/env";
import { describeError, HomelabError, systemErrorCode } from "../common/errors";
import { createRedactor } from "../common/redact";
import { runCommandLine } from "./cli";
import { EXIT } from "./exit-codes";
import type { Session } from "./session";
import { createSinks } from "./sinks";

/** Errors of who typed the command, which another command line mends. */
const USAGE_ERRORS = new Set(["E_USAGE", "E_STACK_UNKNOWN"]);

const redactor = createRedactor();
const listeners = new Set<() => void>();

const session: Session = {
  ...createSinks(redactor, process.stdout, process.stderr),
  terminal: {
    interactive: process.stdout.isTTY === true && readEnv("CI") === undefined,
    colour: process.stdout.isTTY === true && readEnv("NO_COLOR") === undefined,
    columns: () => process.stdout.columns ?? 80,
  },
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

runCommandLine(process.argv.slice(2), session).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    session.err(`error: ${describeError(thrown)}\n`);
    process.exitCode = thrown instanceof HomelabError && USAGE_ERRORS.has(thrown.code) ? EXIT.usage : EXIT.failed;
  },
);
