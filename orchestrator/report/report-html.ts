/** The report as one self-contained page: what failed first, then the table, the timeline, and each stack's steps folded. */
import { nextStep, problemsOf } from "./failure-text";
import type { ReportStep, RunReport, StackReport } from "./report-schema";
import { TABLE_HEAD, tableRows } from "./table";

const escapeHtml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const cells = (row: readonly string[], tag: string): string => `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2733;--paper:#fff;--line:#e4e8ee;--soft:#f6f1e7;--idle:#8a95a5;--good:#2f9e62;--bad:#d64545;--warn:#d9a21b}
@media(prefers-color-scheme:dark){:root{--ink:#dfe6ee;--paper:#14191f;--line:#2c3540;--soft:#22292f;--good:#4cc38a;--bad:#f2777a}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:var(--ink);background:var(--paper)}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid var(--line)}
.lanes{display:grid;grid-template-columns:max-content 1fr max-content;gap:.2rem .8rem;align-items:center}
.axis{position:relative;height:.9rem}.axis i{position:absolute;top:0;height:100%;border-radius:3px;background:var(--idle);min-width:2px}
i.succeeded{background:var(--good)!important}i.failed{background:var(--bad)!important}i.cancelled{background:var(--warn)!important}
pre{background:var(--soft);padding:.5rem;white-space:pre-wrap;overflow-wrap:anywhere}details{margin:.5rem 0}.failure{border-left:4px solid var(--bad);padding-left:.8rem}
`;

/** A lane's bar is placed in the column of the time axis alone, so that equal times are equal widths. */
function lane(stack: StackReport, total: number): string {
  if (stack.offset === null || stack.duration === null) return "";
  const share = (ms: number): string => ((ms * 100) / Math.max(1, total)).toFixed(2);
  const seconds = (stack.duration / 1000).toFixed(1);
  return `<span>${escapeHtml(stack.stack)}</span><div class="axis"><i class="${stack.status}" style="left:${share(stack.offset)}%;width:${share(stack.duration)}%"></i></div><span>${seconds} s</span>`;
}

function failure(stack: StackReport): string {
  const blocks = problemsOf(stack).map(
    ({ what, lines }) => `<h3>${escapeHtml(`${stack.stack}${what === "" ? "" : `: ${what}`}`)}</h3><pre>${escapeHtml(lines.join("\n"))}</pre>`,
  );
  const next = nextStep(stack);
  const said = stack.error === undefined ? "" : `<details><summary>all that the engine said</summary><pre>${escapeHtml(stack.error.message)}</pre></details>`;
  return `<section class="failure">${blocks.join("")}${next === undefined ? "" : `<p>next: ${escapeHtml(next)}</p>`}${said}</section>`;
}

const stepRow = (step: ReportStep): string => {
  const values = (step.values ?? []).map(({ path, from, to }) => `${path}: ${from ?? "(none)"} → ${to ?? "(none)"}`);
  return cells([step.op, step.type, step.name, (values.length > 0 ? values : [...new Set([...step.keys, ...step.diffs])]).join(", ")], "td");
};

function details(stack: StackReport): string {
  const steps = stack.steps.filter(({ component }) => !component).map(stepRow);
  const said = stack.diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => `<pre>warning: ${escapeHtml(message)}</pre>`);
  if (steps.length + said.length === 0) return "";
  return `<details><summary>${escapeHtml(stack.stack)}: ${steps.length} steps</summary>${said.join("")}<div class="wide"><table>${steps.join("")}</table></div></details>`;
}

/** What the engine's own report says of a stack that failed stands once, first. */
export function renderHtml(report: RunReport): string {
  const { warnings = [] } = report;
  const failed = report.stacks.filter(({ error }) => error !== undefined);
  const title = `homelab ${report.operation}: ${report.ok ? "done" : "failed"}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(report.startedAt)}, ${(report.duration / 1000).toFixed(1)} s, engine ${escapeHtml(report.engine.name)} (${escapeHtml(report.engine.why)}), ${report.site}</p>
${failed.length === 0 ? "" : `<h2>Failures</h2>${failed.map(failure).join("\n")}`}
<h2>Stacks</h2><div class="wide"><table>${cells(TABLE_HEAD, "th")}${tableRows(report.stacks)
    .map((row) => cells(row, "td"))
    .join("")}</table></div>
${warnings.length === 0 ? "" : `<h2>Warnings</h2><pre>${escapeHtml(warnings.join("\n"))}</pre>`}
<h2>Timeline</h2><div class="lanes">${report.stacks.map((stack) => lane(stack, report.duration)).join("\n")}</div>
<h2>Steps</h2>${report.stacks.map(details).join("\n")}
</body></html>
`;
}
