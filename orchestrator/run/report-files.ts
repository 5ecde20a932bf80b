/** The files that a run writes where its flags say: for a comment, for CI, for programs. */
import * as path from "node:path";
import type { Arguments } from "../cli/arguments";
import type { Session } from "../cli/session";
import { renderComment } from "../report/comment";
import { renderJUnit } from "../report/junit";
import type { RunReport } from "../report/report-schema";

export function writeReportFiles(report: RunReport, args: Arguments, session: Session): void {
  const [markdown, json, junit] = [args.text("markdown"), args.text("report"), args.text("junit")];
  if (markdown !== undefined) session.writeFile(path.resolve(markdown), renderComment(report), 0o644);
  if (junit !== undefined) session.writeFile(path.resolve(junit), renderJUnit(report), 0o644);
  if (json !== undefined) session.writeFile(path.resolve(json), `${JSON.stringify(report, null, 2)}\n`, 0o644);
}

/** One report of a run that had two parts: stacks that the program no longer has were destroyed, then changed ones were run. */
export function joinedReport(first: RunReport, second: RunReport): RunReport {
  const names = new Set(second.stacks.map(({ stack }) => stack));
  return {
    ...second,
    startedAt: first.startedAt,
    duration: first.duration + second.duration,
    ok: first.ok && second.ok,
    changed: first.changed || second.changed,
    warnings: [...new Set([...(first.warnings ?? []), ...(second.warnings ?? [])])],
    stacks: [...first.stacks.filter(({ stack }) => !names.has(stack)), ...second.stacks],
  };
}
