/** The commands that save what a stack holds, before a run takes it away. */
import { spawn } from "node:child_process";
import { childEnv, ENV } from "../../common/env";
import { asError, HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import type { Session } from "../cli/session";
import type { StackGraph } from "../target/graph";
import type { GatedChange } from "./gated-changes";

/** Its output goes through the session, which redacts. @returns what went wrong, or undefined */
function runCommand([file = "", ...args]: readonly string[], lost: string, session: Session): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: projectRoot(), env: childEnv({ [ENV.backup]: lost }), stdio: ["ignore", "pipe", "pipe"] });
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

/**
 * Runs the backup command of each stack that is about to lose something, one after the other.
 * @throws HomelabError E_BACKUP where one fails: nothing is changed then
 */
export async function backUp(graph: StackGraph, lost: readonly GatedChange[], session: Session): Promise<void> {
  const stacks = [...new Set(lost.map(({ what }) => what.split("/")[0] ?? ""))];
  for (const stack of stacks) {
    const resources = lost.filter(({ what }) => what.startsWith(`${stack}/`));
    const { backup } = graph.node(stack);
    if (backup === undefined) {
      session.err(`note: ${stack} has no backup command (backup in site/stacks.ts): nothing of it is saved first\n`);
      continue;
    }
    session.err(`${stack}: saving what is about to be lost\n`);
    const failure = await runCommand(backup, JSON.stringify({ version: 1, stack, resources }), session);
    if (failure !== undefined)
      throw new HomelabError("E_BACKUP", `the backup command of ${stack} ${failure}: nothing was changed`, {
        subject: stack,
        hint: "see what it said above; run it by itself, then run this command again",
      });
  }
}
