/** `pending`: creations that a killed run did not finish. It lists them, looks for their resources, or forgets them. */
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askToGoOn, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { adoptPending, clearPending, type EngineCommand, pendingCreates } from "../state/pending-creates";
import { engineOf, engineRunner } from "../target/engine";
import { openSite } from "../target/site";
import { queryAll } from "./query-stacks";

export async function showPending(args: Arguments, session: Session): Promise<ExitCode> {
  const [adopt, clear] = [args.flag("adopt"), args.flag("clear")];
  if (adopt && clear) throw new HomelabError("E_USAGE", "--adopt and --clear exclude each other");
  const asks = clear && !args.flag("lab") && !args.flag("yes");
  if (asks) refuseUnasked(session, "homelab pending --clear forgets what may exist in the real homelab", false);
  const { results } = await queryAll("status", args, session);
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const run: EngineCommand = (words, env) => engineRunner(engine.root, site.workDir)(words, { ...site.env, ...env });
  let left = 0;
  for (const [stack, { state }] of results) {
    if (state?.exists !== true) continue;
    const pending = await pendingCreates(run, stack);
    for (const { urn, id } of pending) session.out(`${stack}: ${urn}${id === undefined ? "" : ` (id ${id})`}\n`);
    if (pending.length === 0) continue;
    if (adopt) {
      const adopted = await adoptPending(run, stack, pending);
      session.out(`${stack}: looked for ${adopted.length} of ${pending.length}; what is there is in the state now\n`);
      left += pending.length - adopted.length;
    } else if (clear) {
      if (asks && !(await askToGoOn(session, `Forget these creations of ${stack}? Whatever of them exists is then managed by no stack.`))) return EXIT.refused;
      await clearPending(run, stack);
      session.out(`${stack}: forgotten\n`);
    } else left += pending.length;
  }
  if (left === 0) session.out("no creation is pending\n");
  else session.out(`${left} pending: --adopt looks for what they made, --clear forgets them\n`);
  return EXIT.done;
}
