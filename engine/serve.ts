/**
 * The engine as a process that runs one command line after another, for a parent that has started it with an IPC channel
 * (orchestrator/worker/served-engine.ts). Its start takes a quarter of a second of processor time, and V8 compiles its code anew each
 * time. What a command does, prints and makes of signals is what `bin/pulumi` does. What it prints ends, in each of the two streams,
 * with the marker of its request: a message may come before what was printed before it. The process ends when the channel closes and
 * the command that runs has ended.
 */
import { z } from "zod";
import { replaceOwnEnv } from "../common/env";
import { asError } from "../common/errors";
import { goOnWithoutReader } from "./cli/closed-reader";
import { exitCodeOf } from "./cli/exit-code";
import { EXIT_CODE } from "./errors";
import { keepProgram } from "./program/kept-program";
import { keepBundledHost } from "./providers/bundled-host";
import { secretFilter } from "./secrets/secret-filter";

const requestSchema = z.strictObject({
  argv: z.array(z.string()),
  /** Working directory. */
  cwd: z.string(),
  /** All of the environment. */
  env: z.record(z.string(), z.string()),
  /** Ends what the command prints; nothing that it prints holds it. */
  marker: z.string().min(16),
});

async function run({ argv, cwd, env, marker }: z.infer<typeof requestSchema>): Promise<void> {
  replaceOwnEnv(env);
  secretFilter.forget();
  let status: number = EXIT_CODE.failed;
  try {
    process.chdir(cwd);
    status = await exitCodeOf(argv);
  } catch (thrown) {
    process.stderr.write(`error: ${secretFilter.text(asError(thrown).message)}\n`);
  }
  process.stdout.write(marker);
  process.stderr.write(marker);
  if (process.connected) process.send?.({ marker, status });
  else process.exit(0);
}

let isRunning = false;

keepBundledHost();
keepProgram();
goOnWithoutReader();
// A cancellation that comes when the command has just ended. While an operation runs it listens itself (cli/signals.ts).
process.on("SIGINT", () => undefined);
process.on("message", (raw) => {
  isRunning = true;
  void run(requestSchema.parse(raw)).finally(() => {
    isRunning = false;
  });
});
process.on("disconnect", () => {
  if (!isRunning) process.exit(0);
});
