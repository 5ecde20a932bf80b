/** Commands that a homelab names in its matrix: a backup, the tests of a stage. */
import { spawn } from "node:child_process";
import { childEnv } from "../../common/env";
import { asError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import type { Session } from "./session";

/**
 * Runs one in the checkout. What it prints goes through the session, which redacts, to standard error; an interrupt ends it.
 * @param more variables of its environment beside the caller's
 * @returns what went wrong, or undefined
 */
export function runOwnCommand([file = "", ...args]: readonly string[], more: Readonly<Record<string, string>>, session: Session): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: projectRoot(), env: childEnv(more), stdio: ["ignore", "pipe", "pipe"] });
    const stop = session.onInterrupt(() => child.kill());
    const end = (what: string | undefined): void => {
      stop();
      resolve(what);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => session.err(text));
    child.on("error", (cause) => end(`could not be started: ${asError(cause).message}`));
    child.on("close", (code, signal) => end(code === 0 ? undefined : signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
  });
}
