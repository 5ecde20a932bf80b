/** Commands that a homelab names in site/stacks.ts, such as a backup or the tests of a stage, and programs that the CLI itself needs. */
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { asError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import type { Session } from "./session";

/** Time between SIGTERM and SIGKILL. */
const LAST_WORDS_MS = 5_000;

/** How it ended, in words; undefined: well. */
const ended = (code: number | null, signal: NodeJS.Signals | null): string | undefined =>
  code === 0 ? undefined : signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;

/**
 * Runs such a command in the checkout. Its output goes to standard error through the session, which redacts it. An interrupt ends it.
 * @param more variables of its environment beside the caller's
 * @param limitMs milliseconds after which it is ended, by force where it does not end by itself; left out: no limit
 * @returns what went wrong, or undefined
 */
export function runOwnCommand(
  [file = "", ...args]: readonly string[],
  more: Readonly<Record<string, string>>,
  session: Session,
  limitMs?: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: projectRoot(), env: childEnv(more), stdio: ["ignore", "pipe", "pipe"] });
    const stop = session.onInterrupt(() => child.kill());
    const timers: NodeJS.Timeout[] = [];
    const end = (what: string | undefined): void => {
      stop();
      for (const timer of timers) clearTimeout(timer);
      // A process that the command has started may hold these open, which would keep this process from exiting.
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      resolve(what);
    };
    const tooLong = (): void => {
      const what = `did not end within ${Math.round((limitMs ?? 0) / 1000)} seconds`;
      // The command may have exited while a process that it has started still holds its output open.
      if (child.exitCode !== null || child.signalCode !== null) end(what);
      else {
        child.once("exit", () => end(what));
        child.kill();
        timers.push(setTimeout(() => child.kill("SIGKILL"), LAST_WORDS_MS));
      }
    };
    if (limitMs !== undefined) timers.push(setTimeout(tooLong, limitMs));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => session.err(text));
    child.on("error", (cause) => end(`could not be started: ${asError(cause).message}`));
    child.on("close", (code, signal) => end(ended(code, signal)));
  });
}
