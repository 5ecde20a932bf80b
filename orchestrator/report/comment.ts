/** The comment on a pull request: table first, then what a reviewer must not miss, then each stack's steps folded. */
import { changesText, countChanges, durationText } from "./changes";
import { bulletList, cut, fenced, folded, harmless, inline, lengthOf, sharing } from "./comment-markdown";
import { problemsOf } from "./failure-text";
import type { ReportStep, RunReport, StackReport } from "./report-schema";

/**
 * Characters that a host takes in a comment, as it counts them ({@link lengthOf}). GitHub: "Body is too long (maximum is 65536
 * characters)"; GitLab: 1,000,000 (docs.gitlab.com/administration/instance_limits, "Size of comments").
 */
export const COMMENT_LIMITS = { github: 65_536, gitlab: 1_000_000 } as const;
/** The comment is found by this line when it is updated in place. */
export const COMMENT_MARKER = "<!-- homelab:preview -->";

/** The run of CI that a comment is about. */
export interface CommentRun {
  /** Commit that was previewed. */
  readonly commit: string;
  /** Page that keeps the whole report. It is written into the comment unchanged, since its form was checked before. */
  readonly runUrl: string;
}

export interface CommentOptions {
  /** Default: GitHub's, the smaller one. */
  readonly limit?: number;
  readonly run?: CommentRun | undefined;
}

/** The most characters that each part may have. What they leave of the limit is for the folded steps. */
const BUDGET = { table: 16_000, failures: 16_000, loud: 12_000, warnings: 8_000 };
/** Unknown values that a row of the table names. */
const UNKNOWNS_NAMED = 3;

/** What an operation is called, and the comment's title where it changes something. */
const WORDS: Record<RunReport["operation"], { noun: string; title: string; planned: boolean }> = {
  preview: { noun: "preview", title: "This changes the homelab", planned: true },
  "preview-destroy": { noun: "preview", title: "This destroys what it names", planned: true },
  up: { noun: "up", title: "The homelab was changed", planned: false },
  refresh: { noun: "refresh", title: "The states were changed", planned: false },
  destroy: { noun: "destroy", title: "This was destroyed", planned: false },
};

const OP_MARK: Record<string, string> = { create: "+", update: "~", replace: "±", delete: "-", import: "=" };

function completeness(stack: StackReport): string {
  if (stack.status === "skipped") return `skipped (${inline(stack.blame ?? "?")} failed)`;
  if (stack.status !== "succeeded") return stack.status;
  if (stack.unknowns.length === 0) return "complete";
  const more = stack.unknowns.length - UNKNOWNS_NAMED;
  return `depends on ${stack.unknowns.slice(0, UNKNOWNS_NAMED).map(inline).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Characters of a reason in a row of the table; `--why` prints the whole chain of reasons. */
const WHY = 160;

function tableRow(stack: StackReport, withWhy: boolean): string {
  const { create, update, replace, delete: gone, same } = countChanges(stack.changes);
  const loud = (count: number): string => (count > 0 ? `**${count}**` : "0");
  const time = stack.duration === null ? "–" : durationText(stack.duration);
  const why = withWhy ? ` ${stack.why === undefined ? "–" : inline(cut(stack.why, WHY))} |` : "";
  return `| ${harmless(stack.stack)} | ${create} | ${update} | ${loud(replace)} | ${loud(gone)} | ${same} | ${completeness(stack)} | ${time} |${why}`;
}

/** It has the column `why` where the run chose its stacks by what changed. */
function table(stacks: readonly StackReport[], operation: RunReport["operation"]): string {
  const withWhy = stacks.some(({ why }) => why !== undefined);
  const lines = [
    `| stack | create | update | replace | delete | same | ${WORDS[operation].noun} | time |${withWhy ? " why |" : ""}`,
    `|---|--:|--:|--:|--:|--:|---|--:|${withWhy ? "---|" : ""}`,
  ];
  if (stacks.length === 0) return "No stack is built from anything that was changed.";
  let size = lengthOf(lines.join("\n"));
  for (const [i, stack] of stacks.entries()) {
    const row = tableRow(stack, withWhy);
    size += lengthOf(row) + 1;
    if (size > BUDGET.table) return [...lines, `| … ${stacks.length - i} more stacks: see the run's report | | | | | | | |${withWhy ? " |" : ""}`].join("\n");
    lines.push(row);
  }
  return lines.join("\n");
}

/** How much is lost with a resource. The heaviest losses come first. */
const WEIGHTS: readonly [number, RegExp][] = [
  [4, /^proxmoxve:.*:Vm(Legacy)?$/],
  [3, /^proxmoxve:|^vault:|:(PersistentVolumeClaim|PersistentVolume|StatefulSet|Namespace|CustomResourceDefinition)$/],
  [2, /:(Release|Secret|Deployment|DaemonSet)$|^command:/],
];
const weightOf = ({ type }: ReportStep): number => WEIGHTS.find(([, pattern]) => pattern.test(type))?.[0] ?? 1;

const isGone = ({ op, component }: ReportStep): boolean => (op === "delete" || op === "replace") && component !== true;

/** A property that forces a replacement, with what it was and will be where the engine knows. */
function forcing({ values = [] }: ReportStep, key: string): string {
  const value = values.find(({ path }) => path === key);
  return value === undefined ? inline(key) : `${inline(key)} (${inline(value.from ?? "(none)")} → ${inline(value.to ?? "(none)")})`;
}

/** Replacements and deletions of the whole estate, the heaviest first. */
function losses(report: RunReport): string {
  const lost = report.stacks.flatMap(({ stack, steps }) => steps.filter(isGone).map((step) => ({ stack, step })));
  lost.sort((a, b) => weightOf(b.step) - weightOf(a.step));
  const lines = lost.map(({ stack, step }) => {
    const because = step.keys.length > 0 ? ` because of ${step.keys.map((key) => forcing(step, key)).join(", ")}` : "";
    return `**${step.op}${weightOf(step) === 4 ? " of a VM, with its disks" : ""}** ${inline(`${stack}: ${step.type} ${step.name}`)}${because}`;
  });
  return bulletList("⚠ Replacements and deletions", lines, BUDGET.loud);
}

function failureOf(stack: StackReport, budget: number): string {
  const lines = problemsOf(stack).flatMap(({ what, lines: cause }) => (what === "" ? cause : [what, ...cause.map((line) => `  ${line}`)]));
  const hint = stack.error?.hint === undefined ? [] : [`next: ${stack.error.hint}`];
  return fenced(`### ✘ ${harmless(stack.stack)}`, "", [...lines, ...hint], budget);
}

const failures = (report: RunReport): string =>
  sharing(
    report.stacks.filter(({ error }) => error !== undefined),
    BUDGET.failures,
    failureOf,
    (count) => `… ${count} more stacks failed: see the run's report`,
  );

/** Restarts of VMs come first: users notice them at once. */
function warnings(report: RunReport): string {
  const said = report.stacks.flatMap(({ stack, diagnostics }) =>
    diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => `${stack}: ${message}`),
  );
  const isRestart = (text: string): boolean => /will be (restarted|shut down|stopped)/.test(text);
  const ordered = [...said.filter(isRestart), ...(report.warnings ?? []), ...said.filter((text) => !isRestart(text))];
  return bulletList("Warnings", [...new Set(ordered)].map(inline), BUDGET.warnings);
}

function stepLines(step: ReportStep): string[] {
  const head = `${OP_MARK[step.op]} ${step.type} ${step.name}`;
  if (step.op !== "update" && step.op !== "replace") return [head];
  const { values = [] } = step;
  if (values.length === 0) return [`${head}${step.diffs.length > 0 ? ` [${step.diffs.join(", ")}]` : ""}`];
  return [head, ...values.map(({ path, from, to }) => `    ${path}: ${from ?? "(none)"} → ${to ?? "(none)"}`)];
}

function details(stack: StackReport, planned: boolean, budget: number): string {
  const lines = stack.steps.filter(({ op, component }) => OP_MARK[op] !== undefined && !component).flatMap(stepLines);
  return lines.length === 0 ? "" : folded(`${stack.stack}: ${changesText(stack.changes, planned)}`, "diff", lines, budget);
}

function titleOf({ ok, changed, stacks, operation }: RunReport): string {
  const { noun, title } = WORDS[operation];
  if (ok) return changed ? title : "No changes";
  const isCancelled = stacks.some(({ status }) => status === "cancelled") && stacks.every(({ status }) => status !== "failed");
  return `The ${noun} ${isCancelled ? "was cancelled" : "failed"}`;
}

/** @param finishedAt undefined where there is no report */
function runLine(run: CommentRun | undefined, finishedAt: string | undefined): string {
  if (run === undefined) return "";
  const time = finishedAt === undefined ? "" : `${finishedAt.slice(0, 16).replace("T", " ")} UTC, `;
  return `\ncommit ${inline(run.commit)}, ${time}[the run with its whole report](${run.runUrl})\n`;
}

/** Always within the limit: details give way first; every fence and fold that is opened is closed. */
export function renderComment(report: RunReport, { limit = COMMENT_LIMITS.github, run }: CommentOptions = {}): string {
  const where = report.site === "lab" ? "in the lab" : "against the homelab";
  const foot = `engine: ${report.engine.name}, ${where}, ${durationText(report.duration)}\n${runLine(run, report.finishedAt)}`;
  const parts = [`${COMMENT_MARKER}\n## ${titleOf(report)}`, table(report.stacks, report.operation), failures(report), losses(report), warnings(report)].filter(
    (part) => part !== "",
  );
  let left = limit - parts.reduce((sum, part) => sum + lengthOf(part) + 2, 0) - lengthOf(foot);
  for (const [i, stack] of report.stacks.entries()) {
    // Each stack may take a third of what is left, so that earlier stacks leave room for later ones.
    const part = details(stack, WORDS[report.operation].planned, Math.floor(left / Math.min(report.stacks.length - i, 3)) - 2);
    if (part === "") continue;
    parts.push(part);
    left -= lengthOf(part) + 2;
  }
  return `${parts.join("\n\n")}\n\n${foot}`;
}

/** A run that ended before it had a report. */
export interface NoReport {
  readonly run?: CommentRun | undefined;
  /** Default: preview. */
  readonly operation?: RunReport["operation"];
  /** Default: failed. `cancelled`: somebody, or a newer run, ended it; `refused`: a gate did. */
  readonly how?: "failed" | "cancelled" | "refused";
}

/** The comment of a run that ended before it had a report. */
export function renderNoReport(why: string, { run, operation = "preview", how = "failed" }: NoReport = {}): string {
  const title = `The ${WORDS[operation].noun} ${how === "failed" ? how : `was ${how}`}`;
  return `${COMMENT_MARKER}\n## ${title}\n\n${fenced("It ended before the first stack.", "", why.split("\n"), BUDGET.failures)}\n${runLine(run, undefined)}`;
}
