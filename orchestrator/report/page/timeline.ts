/** When each stack ran, the critical path, and the longest steps. */
import type { ReportStep, RunReport, StackReport } from "../report-schema";
import { escapeHtml } from "./html";

type Ran = StackReport & { offset: number; duration: number };
const hasRun = (stack: StackReport): stack is Ran => stack.offset !== null && stack.duration !== null;
const endOf = ({ offset, duration }: Ran): number => offset + duration;
const last = (stacks: readonly Ran[]): Ran | undefined => stacks.toSorted((a, b) => endOf(b) - endOf(a))[0];

/** Steps that are shown below a stack. */
const LONGEST = 5;

/**
 * The chain of stacks that the run waited for: the stack that ended last; before it, of the stacks that it had to wait for, the one that ended
 * last; and so on.
 * @returns in the order in which they ran
 */
export function criticalPath({ estate, stacks, operation }: RunReport): string[] {
  const ran = stacks.filter(hasRun);
  const needs = new Map((estate?.stacks ?? []).map(({ stack, needs: all }) => [stack, all]));
  const isBackwards = operation === "destroy" || operation === "preview-destroy";
  const waitedFor = ({ stack }: Ran): Ran[] =>
    ran.filter((other) => (isBackwards ? needs.get(other.stack)?.includes(stack) : needs.get(stack)?.includes(other.stack)) === true);
  const path: string[] = [];
  for (let at = last(ran); at !== undefined && !path.includes(at.stack); at = last(waitedFor(at))) path.unshift(at.stack);
  return path;
}

const share = (ms: number, total: number): string => ((ms * 100) / Math.max(1, total)).toFixed(2);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const bar = (name: string, kind: string, offset: number, duration: number, total: number, more = ""): string =>
  `<span${more}>${escapeHtml(name)}</span><div class="axis"><i class="${kind}" style="left:${share(offset, total)}%;width:${share(duration, total)}%"></i></div><span>${seconds(duration)}</span>`;

type TimedStep = ReportStep & { offset: number; duration: number };
const isTimed = (step: ReportStep): step is TimedStep => step.offset !== undefined && step.duration !== undefined && step.component !== true;

function longestSteps(stack: StackReport, total: number): string {
  const steps = stack.steps
    .filter(isTimed)
    .toSorted((a, b) => b.duration - a.duration)
    .slice(0, LONGEST);
  if (steps.length === 0) return "";
  const lanes = steps.map(({ op, name, offset, duration }) => bar(`${op} ${name}`, "succeeded", offset, duration, total));
  return `<details><summary>longest steps of ${escapeHtml(stack.stack)}</summary><div class="lanes">${lanes.join("")}</div></details>`;
}

/** Bars are only in the column of the time axis, so that equal times have equal widths. */
export function timeline(report: RunReport, critical: readonly string[]): string {
  const lanes = report.stacks
    .filter(hasRun)
    .map(({ stack, status, offset, duration }) => bar(stack, status, offset, duration, report.duration, critical.includes(stack) ? ' class="critical"' : ""));
  const path = critical.length < 2 ? "" : `<p>The run waited for ${critical.map(escapeHtml).join(" → ")} (the critical path).</p>`;
  return `<div class="lanes">${lanes.join("\n")}</div>${path}${report.stacks.map((stack) => longestSteps(stack, report.duration)).join("")}`;
}
