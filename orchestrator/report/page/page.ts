/** The report as one self-contained page: what failed first, then stacks, the map, the graph, the timeline and every change. */

import { createHash } from "node:crypto";
import { counted } from "../../../common/counted";
import { nextStep, problemsOf } from "../failure-text";
import type { ReportStep, RunReport, StackReport } from "../report-schema";
import { TABLE_HEAD, tableRows, waitingTexts } from "../table";
import { stackGraph } from "./graph";
import { cells, escapeHtml, section, wide } from "./html";
import { estateMap } from "./map";
import { SCRIPT } from "./script";
import { STYLE } from "./style";
import { criticalPath, timeline } from "./timeline";

function failure(stack: StackReport): string {
  const blocks = problemsOf(stack).map(
    ({ what, lines }) => `<h3>${escapeHtml(`${stack.stack}${what === "" ? "" : `: ${what}`}`)}</h3><pre>${escapeHtml(lines.join("\n"))}</pre>`,
  );
  const next = nextStep(stack);
  const said = stack.error === undefined ? "" : `<details><summary>all that the engine said</summary><pre>${escapeHtml(stack.error.message)}</pre></details>`;
  return `<div class="failure" data-search>${blocks.join("")}${next === undefined ? "" : `<p>next: ${escapeHtml(next)}</p>`}${said}</div>`;
}

function stepRow(step: ReportStep): string {
  const values = (step.values ?? []).map(
    ({ path, from, to, replaces }) =>
      `${escapeHtml(path)}: <span class="from">${escapeHtml(from ?? "(none)")}</span> → ${escapeHtml(to ?? "(none)")}${replaces === true ? " <b>(replaces)</b>" : ""}`,
  );
  const changed = values.length > 0 ? values : [...new Set([...step.keys, ...step.diffs])].map(escapeHtml);
  return `<tr data-search><td>${escapeHtml(step.op)}</td><td>${escapeHtml(step.type)}</td><td>${escapeHtml(step.name)}</td><td>${changed.join("<br>")}</td></tr>`;
}

function changes(stack: StackReport): string {
  const steps = stack.steps.filter(({ component }) => !component).map(stepRow);
  const said = stack.diagnostics
    .filter(({ severity }) => severity === "warning")
    .map(({ message }) => `<pre data-search>warning: ${escapeHtml(message)}</pre>`);
  if (steps.length + said.length === 0) return "";
  const head = cells(["step", "type", "name", "old → new"], "th");
  return `<details><summary>${escapeHtml(stack.stack)}: ${counted(steps.length, "step")}</summary>${said.join("")}${wide(`table of the steps of ${stack.stack}`, `<table>${head}${steps.join("")}</table>`)}</details>`;
}

function stacksTable(report: RunReport): string {
  const rows = tableRows(report).map((row) => cells(row, "td").replace("<tr>", "<tr data-search>"));
  const notes = [
    ...report.stacks.flatMap(({ stack, why }) => (why === undefined ? [] : [`${stack}: ${why}`])),
    ...waitingTexts(report.stacks).map(({ stack, from, outputs }) => `${stack} waits for ${from}: ${outputs.join(", ")}`),
    ...report.stacks.flatMap(({ stack, retries = [] }) =>
      retries.map(({ attempt, class: why, delay }) => `${stack}: try ${attempt} failed (${why}); the next came ${(delay / 1000).toFixed(1)} s later`),
    ),
  ];
  const list = notes.length === 0 ? "" : `<ul>${notes.map((note) => `<li data-search>${escapeHtml(note)}</li>`).join("")}</ul>`;
  return `${wide("table of the stacks", `<table>${cells(TABLE_HEAD, "th")}${rows.join("")}</table>`)}${list}`;
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Only the page's own script runs, and nothing is loaded, whatever the report contains. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'`;

const TOOLS = `<div class="tools" role="region" aria-label="search and view"><label for="search">Search</label><input id="search" type="search" autocomplete="off"><span id="found" role="status"></span>
<button id="folds" type="button">fold or unfold all</button><button id="theme" type="button">light or dark</button>
<small>Keys: / search, 1–9 sections, e folds, t light or dark</small></div>`;

/** @param title of the page; default: what the run was, and how it ended */
export function renderHtml(report: RunReport, title = `homelab ${report.operation}: ${report.ok ? "done" : "failed"}`): string {
  const { warnings = [] } = report;
  const critical = criticalPath(report);
  const failed = report.stacks.filter(({ error }) => error !== undefined);
  const sections: [string, string, string][] = [
    ["failures", "Failures", failed.map(failure).join("\n")],
    ["stacks", "Stacks", stacksTable(report)],
    ["warnings", "Warnings", warnings.length === 0 ? "" : `<pre>${escapeHtml(warnings.join("\n"))}</pre>`],
    ["map", "Map", estateMap(report)],
    ["graph", "Graph", stackGraph(report, new Set(critical))],
    ["timeline", "Timeline", timeline(report, critical)],
    ["steps", "Steps", report.stacks.map(changes).join("\n") || "<p>no steps</p>"],
  ];
  const shown = sections.filter(([, , body]) => body !== "");
  const links = shown.map(([id, name], i) => `<li><a href="#${id}">${i + 1} ${name}</a></li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<header><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(report.startedAt)}, ${(report.duration / 1000).toFixed(1)} s, engine ${escapeHtml(report.engine.name)} (${escapeHtml(report.engine.why)}), ${report.site}</p></header>
<nav aria-label="sections"><ul>${links}</ul></nav>
${TOOLS}
<main>${shown.map(([id, name, body]) => section(id, name, body)).join("\n")}</main>
<script>${SCRIPT}</script>
</body></html>
`;
}
