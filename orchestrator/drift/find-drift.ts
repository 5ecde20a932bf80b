/** `drift`: what was changed behind the states and the roles. Changes nothing. */
import type { Arguments } from "../cli/arguments";
import type { ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { checkHosts } from "../hosts/manage-hosts";
import { askAll } from "../run/query-stacks";
import { writeSeenDrift } from "../store/seen-drift";
import { type DriftedResource, type DriftReport, driftExitCode, driftOf, driftText, hasDrifted } from "./drift-report";

export async function findDrift(args: Arguments, session: Session): Promise<ExitCode> {
  const found = new Map<string, DriftedResource[]>();
  const { site, graph, results } = await askAll("drift", args, session, (stack, message) => {
    const drifted = message.kind === "step-done" ? driftOf(message.step) : undefined;
    if (drifted !== undefined) found.set(stack, [...(found.get(stack) ?? []), drifted]);
  });
  const stacks = results.map(([stack, { error }]) => ({ stack, resources: found.get(stack) ?? [], ...(error === undefined ? {} : { error }) }));
  const hosts = args.flag("stacks-only") ? [] : (await checkHosts(args, session, graph, args.words)).hosts;
  const report: DriftReport = { version: 1, site: site.kind, drifted: hasDrifted({ stacks, hosts }), stacks, hosts };
  const at = session.clock.now();
  writeSeenDrift(site.runsDir, new Map(stacks.map(({ stack, resources, error }) => [stack, { at, resources: error === undefined ? resources.length : null }])));
  session.out(args.flag("json") ? `${JSON.stringify(report, null, 2)}\n` : driftText(report));
  return driftExitCode(report);
}
