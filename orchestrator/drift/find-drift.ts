/** `drift`: what was changed in the homelab without the program and the roles. Changes nothing. */
import * as path from "node:path";
import type { Arguments } from "../cli/arguments";
import type { ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { checkHosts } from "../hosts/manage-hosts";
import { askAll } from "../run/query-stacks";
import { writeSeenDrift } from "../store/seen-drift";
import { driftExitCode, driftOf, driftText, hasDrifted, namesOnly, seenDrift } from "./drift-report";
import type { DriftedResource, DriftReport } from "./drift-schema";

export async function findDrift(args: Arguments, session: Session): Promise<ExitCode> {
  const found = new Map<string, DriftedResource[]>();
  const { site, graph, results } = await askAll("drift", args, session, (stack, message) => {
    const drifted = message.kind === "step-done" ? driftOf(message.step) : undefined;
    if (drifted !== undefined) found.set(stack, [...(found.get(stack) ?? []), drifted]);
  });
  const stacks = results.map(([stack, { error }]) => ({ stack, resources: found.get(stack) ?? [], ...(error === undefined ? {} : { error }) }));
  const hosts = args.flag("stacks-only") ? [] : (await checkHosts(args, session, graph, args.words)).hosts;
  const at = session.clock.now();
  const lookedAt = new Date(at).toISOString();
  const whole: DriftReport = { version: 1, site: site.kind, lookedAt, drifted: hasDrifted({ stacks, hosts }), stacks, hosts };
  const report = args.flag("names-only") ? namesOnly(whole) : whole;
  writeSeenDrift(site.runsDir, seenDrift(whole, at, !args.flag("stacks-only")));
  const file = args.text("report");
  if (file !== undefined) session.writeFile(path.resolve(file), `${JSON.stringify(report, null, 2)}\n`, 0o644);
  session.out(args.flag("json") ? `${JSON.stringify(report, null, 2)}\n` : driftText(report));
  return driftExitCode(report);
}
