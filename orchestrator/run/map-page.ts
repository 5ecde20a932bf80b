/** `homelab map`: a report's page, made from the last report of each stack, without a run. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { renderHtml } from "../report/page/page";
import { type RunReport, reportSchema, type StackReport } from "../report/report-schema";
import { RUN_FILES } from "../store/run-facts";
import { foldRuns } from "../store/run-fold";
import { mayHaveChanged, type RunRecord, readRuns } from "../store/run-records";
import { engineOf } from "../target/engine";
import { describeProgram, type Program } from "../target/program";
import { besideRuns, openSite } from "../target/site";
import { doubtLines } from "./doubt-text";

/** Undefined for a run without a report, and for a report of another form. */
function reportOf({ dir }: RunRecord): RunReport | undefined {
  const file = path.join(dir, RUN_FILES.report);
  if (!fs.existsSync(file)) return undefined;
  return reportSchema.safeParse(JSON.parse(fs.readFileSync(file, "utf8"))).data;
}

/** The newest report of each stack of a run that could change it. @param records the oldest first */
export function lastReports(records: readonly RunRecord[], stacks: readonly string[]): { stack: StackReport; at: string }[] {
  const found = new Map<string, { stack: StackReport; at: string }>();
  for (const record of records.filter(mayHaveChanged).toReversed()) {
    const report = reportOf(record);
    for (const stack of report?.stacks ?? [])
      if (!found.has(stack.stack) && stack.duration !== null) found.set(stack.stack, { stack, at: report?.startedAt ?? "" });
    if (stacks.every((name) => found.has(name))) break;
  }
  return stacks.flatMap((name) => found.get(name) ?? []);
}

/** @param now ISO 8601 */
export function knownState(
  program: Pick<Program, "estate" | "warnings" | "graph">,
  records: readonly RunRecord[],
  facts: Pick<RunReport, "site" | "engine">,
  now: string,
): RunReport {
  const known = lastReports(records, program.graph.names());
  const stacks = known.map(({ stack, at }) => ({ ...stack, offset: null, why: `last run ${at}` }));
  return {
    version: 1,
    operation: "up",
    ...facts,
    startedAt: now,
    finishedAt: now,
    duration: 0,
    ok: stacks.every(({ status }) => status === "succeeded"),
    changed: false,
    warnings: [...program.warnings, ...doubtLines(foldRuns(records))],
    ...(program.estate === undefined ? {} : { estate: program.estate }),
    stacks,
  };
}

export async function writeMap(args: Arguments, session: Session): Promise<ExitCode> {
  const [site, program, engine] = [await openSite(args.flag("lab")), await describeProgram(), engineOf(args)];
  const given = args.text("to");
  const file = given === undefined ? besideRuns(site.runsDir, "map.html") : path.resolve(given);
  const now = new Date(session.clock.now()).toISOString();
  const report = knownState(program, readRuns(site.runsDir), { site: site.kind, engine: { name: engine.name, why: engine.why } }, now);
  session.writeFile(file, renderHtml(report, `homelab ${program.site}`));
  session.out(`${file}\n`);
  return EXIT.done;
}
