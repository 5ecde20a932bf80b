import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askToGoOn, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { type LockHolder, lockHolders } from "../state/state-history";
import { backendOf } from "../target/configured-backend";
import { engineOf, engineRunner } from "../target/engine";
import { openSite } from "../target/site";
import { queryAll } from "./query-stacks";

/** Name of the project in Pulumi.yaml. */
const PROJECT = "homelab";

const stillRuns = (stack: string, { name, pid }: LockHolder): HomelabError =>
  new HomelabError("E_LOCKED", `${stack} is held by ${name}, which runs on this machine`, {
    subject: stack,
    hint: `wait until it ends, or end it (Ctrl-C where it runs, or \`kill ${pid}\`): the next run takes over its lock`,
  });

/** @throws HomelabError E_LOCKED where the run that holds a lock runs on this machine, E_REFUSED where nobody can be asked */
export async function unlockStacks(args: Arguments, session: Session): Promise<ExitCode> {
  const asks = !args.flag("lab") && !args.flag("yes");
  if (asks) refuseUnasked(session, "homelab unlock clears locks of the real homelab's stacks", false);
  const { results } = await queryAll("status", args, session);
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const run = engineRunner(engine.root, site.workDir);
  for (const [stack, { state }] of results) {
    if (state?.locked !== true) {
      session.out(`${stack} is not locked\n`);
      continue;
    }
    const holders = lockHolders(backendOf(site), PROJECT, stack);
    const running = holders?.find(({ isRunning }) => isRunning);
    if (running !== undefined) throw stillRuns(stack, running);
    const names = holders?.map(({ name }) => name).join(", ");
    session.out(`${stack} is held by ${names === undefined ? "a run that only the backend knows" : names || "nobody any more"}\n`);
    const question = `Clear the lock of ${stack}? If the run that holds it is still alive, two of them will write its state.`;
    if (asks && !(await askToGoOn(session, question))) {
      session.out(`${stack} stays locked\n`);
      return EXIT.refused;
    }
    await run(["cancel", "--yes", "--stack", stack], site.env);
    session.out(`${stack} is unlocked; \`homelab up ${stack}${args.flag("lab") ? " --lab" : ""}\` goes on from the saved state\n`);
  }
  return EXIT.done;
}
