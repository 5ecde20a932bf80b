import * as fs from "node:fs";
import * as path from "node:path";
import { changesAnything } from "./changes";
import type { StackOutcome } from "./run";
import { TABLE_HEAD, tableRows } from "./table";
import type { ResourceStep } from "./worker-protocol";

/** The report of one run; `version` rises with any change that a reader could notice. Outputs are never in it. */
export interface RunReport {
  version: 1;
  operation: string;
  site: "real" | "lab";
  engine: { name: string; why: string };
  startedAt: string;
  finishedAt: string;
  /** Milliseconds. */
  duration: number;
  ok: boolean;
  changed: boolean;
  stacks: StackReport[];
}

export interface StackReport {
  stack: string;
  status: StackOutcome["status"];
  /** Milliseconds; null where it never started. */
  duration: number | null;
  /** Milliseconds after the start of the run; null where it never started. */
  offset: number | null;
  changes: Record<string, number>;
  steps: ResourceStep[];
  diagnostics: { severity: string; urn: string; message: string }[];
  /** Upstream values that a preview had to leave open. */
  unknowns: string[];
  blame?: string;
  error?: { code: string; message: string; hint?: string };
}

export interface ReportFacts {
  operation: string;
  site: "real" | "lab";
  engine: { name: string; why: string };
  startedAt: number;
  finishedAt: number;
  outcomes: readonly StackOutcome[];
  steps: ReadonlyMap<string, ResourceStep[]>;
  diagnostics: ReadonlyMap<string, StackReport["diagnostics"]>;
}

export function buildReport(facts: ReportFacts): RunReport {
  return {
    version: 1,
    operation: facts.operation,
    site: facts.site,
    engine: facts.engine,
    startedAt: new Date(facts.startedAt).toISOString(),
    finishedAt: new Date(facts.finishedAt).toISOString(),
    duration: facts.finishedAt - facts.startedAt,
    ok: facts.outcomes.every((outcome) => outcome.status === "succeeded"),
    changed: facts.outcomes.some((outcome) => changesAnything(outcome.changes)),
    stacks: facts.outcomes.map((outcome) => ({
      stack: outcome.stack,
      status: outcome.status,
      duration: outcome.startedAt === undefined ? null : outcome.finishedAt - outcome.startedAt,
      offset: outcome.startedAt === undefined ? null : outcome.startedAt - facts.startedAt,
      changes: outcome.changes,
      steps: facts.steps.get(outcome.stack) ?? [],
      diagnostics: facts.diagnostics.get(outcome.stack) ?? [],
      unknowns: outcome.unknowns ?? [],
      ...(outcome.blame === undefined ? {} : { blame: outcome.blame }),
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    })),
  };
}

const escapeHtml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** One self-contained page: table, timeline, and each stack's steps folded. */
function renderHtml(report: RunReport, outcomes: readonly StackOutcome[]): string {
  const cells = (row: readonly string[], tag: string): string => `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  const scale = 100 / Math.max(1, report.duration);
  const bars = report.stacks
    .filter((stack) => stack.offset !== null && stack.duration !== null)
    .map(
      (stack) =>
        `<div class="lane"><span>${escapeHtml(stack.stack)}</span><i class="${stack.status}" style="margin-left:${((stack.offset ?? 0) * scale).toFixed(2)}%;width:${((stack.duration ?? 0) * scale).toFixed(2)}%"></i></div>`,
    );
  const details = report.stacks.map((stack) => {
    const steps = stack.steps.map((step) => cells([step.op, step.type, step.name, [...step.keys, ...step.diffs].join(", ")], "td")).join("");
    const problems = stack.diagnostics.filter((d) => d.severity !== "info").map((d) => `<pre>${escapeHtml(`${d.severity}: ${d.message}`)}</pre>`);
    const error = stack.error ? `<pre>${escapeHtml(stack.error.message)}</pre>` : "";
    return `<details${stack.status === "failed" ? " open" : ""}><summary>${escapeHtml(stack.stack)}: ${stack.steps.length} changes</summary>${error}${problems.join("")}<table>${steps}</table></details>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>homelab ${escapeHtml(report.operation)}</title><style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2733;background:#fff}
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid #e4e8ee}
.lane{display:flex;align-items:center}.lane span{width:9rem;flex:none}.lane i{display:block;height:.9rem;border-radius:3px;background:#8a95a5;min-width:2px}
.lane{--w:calc(100% - 9rem)}i.succeeded{background:#2f9e62}i.failed{background:#d64545}i.cancelled{background:#d9a21b}
pre{background:#f6f1e7;padding:.5rem;white-space:pre-wrap}details{margin:.5rem 0}
</style></head><body>
<h1>homelab ${escapeHtml(report.operation)}: ${report.ok ? "done" : "failed"}</h1>
<p>${escapeHtml(report.startedAt)}, ${(report.duration / 1000).toFixed(1)} s, engine ${escapeHtml(report.engine.name)} (${escapeHtml(report.engine.why)}), ${report.site}</p>
<table>${cells(TABLE_HEAD, "th")}${tableRows(outcomes)
    .map((row) => cells(row, "td"))
    .join("")}</table>
<h2>Timeline</h2>${bars.join("\n")}
<h2>Stacks</h2>${details.join("\n")}
</body></html>
`;
}

/**
 * Writes report.json and report.html beside the run's journal and points latest.* at them.
 * @param writeFile the session's, which redacts
 */
export function writeReport(
  base: string,
  report: RunReport,
  outcomes: readonly StackOutcome[],
  writeFile: (file: string, content: string) => void,
): { json: string; html: string } {
  const files = { json: `${base}.report.json`, html: `${base}.report.html` };
  writeFile(files.json, `${JSON.stringify(report, null, 2)}\n`);
  writeFile(files.html, renderHtml(report, outcomes));
  for (const [kind, file] of Object.entries(files)) {
    const link = path.join(path.dirname(file), `latest.${kind}`);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.basename(file), link);
  }
  return files;
}
