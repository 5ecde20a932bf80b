import { systemClock } from "../common/clock";
import { readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { createRedactor } from "../common/redact";
import { runCommandLine } from "./cli";
import { EXIT } from "./exit-codes";
import type { Session } from "./session";

const redactor = createRedactor();
const listeners = new Set<() => void>();

const session: Session = {
  out: (text) => {
    process.stdout.write(redactor.redact(text));
  },
  rawOut: (text) => {
    process.stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(redactor.redact(text));
  },
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
  redact: (text) => redactor.redact(text),
  registerSecret: (value) => redactor.register(value),
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Nothing is under way that could be left half done: end like any program.
    if (listeners.size === 0) process.exit(EXIT.interrupted);
    for (const listener of listeners) listener();
  });
}

runCommandLine(process.argv.slice(2), session).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    session.err(`error: ${describeError(thrown)}\n`);
    process.exitCode = thrown instanceof HomelabError && thrown.code === "E_USAGE" ? EXIT.usage : EXIT.failed;
  },
);
