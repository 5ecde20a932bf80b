/** The commands that save what a stack holds, before a run deletes it. */
import { ENV } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { runOwnCommand } from "../cli/own-command";
import type { Session } from "../cli/session";
import type { StackGraph } from "../target/graph";
import type { GatedChange } from "./gated-changes";

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
    const failure = await runOwnCommand(backup, { [ENV.backup]: JSON.stringify({ version: 1, stack, resources }) }, session);
    if (failure !== undefined)
      throw new HomelabError("E_BACKUP", `the backup command of ${stack} ${failure}: nothing was changed`, {
        subject: stack,
        hint: "see its output above; run it by itself, then run this command again",
      });
  }
}
