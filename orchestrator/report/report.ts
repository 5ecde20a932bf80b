/** Builds the report of one run and writes it: report.json for programs, report.html for people. */
import * as fs from "node:fs";
import * as path from "node:path";
import { isWell } from "../schedule/queue";
import type { StackOutcome } from "../schedule/run";
import { RUN_FILES } from "../store/run-facts";
import type { ResourceStep } from "../worker/worker-protocol";
import { changesAnything } from "./changes";
import { renderHtml } from "./page/page";
import { type ReportStep, type RunReport, type StackReport, VALUE_LENGTH } from "./report-schema";

export interface ReportFacts extends Pick<RunReport, "operation" | "site" | "engine"> {
  startedAt: number;
  finishedAt: number;
  outcomes: readonly StackOutcome[];
  warnings: readonly string[];
  estate: RunReport["estate"];
  steps: ReadonlyMap<string, readonly TimedStep[]>;
  failures: ReadonlyMap<string, readonly ResourceStep[]>;
  diagnostics: ReadonlyMap<string, StackReport["diagnostics"]>;
}

/** A step with its times, in milliseconds since the epoch; undefined where its start was not reported. */
export type TimedStep = ResourceStep & { at?: { started: number; ended: number } | undefined };

const short = (text: string): string => (text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}…` : text);

/** Values are cut here, after redaction: the redactor would not recognise half a secret. */
const reportStep = ({ at, ...step }: TimedStep, runStart: number): ReportStep => ({
  ...step,
  ...(at === undefined ? {} : { offset: Math.max(0, at.started - runStart), duration: Math.max(0, at.ended - at.started) }),
  values: step.values.map(({ path: where, from, to, kind, replaces }) => ({
    path: where,
    ...(kind === undefined ? {} : { kind }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(from === undefined ? {} : { from: short(from) }),
    ...(to === undefined ? {} : { to: short(to) }),
  })),
});

export function buildReport(facts: ReportFacts): RunReport {
  return {
    version: 1,
    operation: facts.operation,
    site: facts.site,
    engine: facts.engine,
    startedAt: new Date(facts.startedAt).toISOString(),
    finishedAt: new Date(facts.finishedAt).toISOString(),
    // A clock that was set back in between must not make a report that nobody can read.
    duration: Math.max(0, facts.finishedAt - facts.startedAt),
    ok: facts.outcomes.every(({ status }) => isWell(status)),
    changed: facts.outcomes.some((outcome) => changesAnything(outcome.changes)),
    warnings: [...facts.warnings],
    ...(facts.estate === undefined ? {} : { estate: facts.estate }),
    stacks: facts.outcomes.map((outcome) => ({
      stack: outcome.stack,
      status: outcome.status,
      duration: outcome.startedAt === undefined ? null : Math.max(0, outcome.finishedAt - outcome.startedAt),
      offset: outcome.startedAt === undefined ? null : Math.max(0, outcome.startedAt - facts.startedAt),
      changes: outcome.changes,
      steps: (facts.steps.get(outcome.stack) ?? []).map((step) => reportStep(step, facts.startedAt)),
      failures: (facts.failures.get(outcome.stack) ?? []).map((step) => reportStep(step, facts.startedAt)),
      diagnostics: facts.diagnostics.get(outcome.stack) ?? [],
      unknowns: outcome.unknowns ?? [],
      ...(outcome.blame === undefined ? {} : { blame: outcome.blame }),
      ...(outcome.why === undefined ? {} : { why: outcome.why }),
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
      ...(outcome.retries === undefined ? {} : { retries: [...outcome.retries] }),
    })),
  };
}

/**
 * Writes report.json and report.html into the run's folder and points latest.* beside it at them.
 * @param writeFile the session's, which redacts
 */
export function writeReport(dir: string, report: RunReport, writeFile: (file: string, content: string) => void): { json: string; html: string } {
  const files = { json: path.join(dir, RUN_FILES.report), html: path.join(dir, RUN_FILES.page) };
  writeFile(files.json, `${JSON.stringify(report, null, 2)}\n`);
  writeFile(files.html, renderHtml(report));
  for (const [kind, file] of Object.entries(files)) {
    const link = path.join(path.dirname(dir), `latest.${kind}`);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.join(path.basename(dir), path.basename(file)), link);
  }
  return files;
}
