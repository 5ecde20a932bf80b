/** What drifted, as the text of an issue: table first, then what is gone and what could not be looked at, then each field folded. */

import { counted } from "../../common/counted";
import { diffText } from "../hosts/host-results";
import type { IssueOfRun } from "../pull-request/post";
import { COMMENT_LIMITS, type CommentRun } from "../report/comment";
import { bulletList, fenced, folded, harmless, inline, lengthOf, sharing } from "../report/comment-markdown";
import { resourceLines } from "./drift-report";
import type { DriftReport } from "./drift-schema";

/** The issue is found by this line when it is updated or closed. */
export const DRIFT_MARKER = "<!-- homelab:drift -->";

type StackDrift = DriftReport["stacks"][number];

/** The most characters that each part may have. What they leave of the limit is for the folded fields. */
const BUDGET = { table: 12_000, failures: 16_000, gone: 12_000 };

const NEXT =
  "`homelab refresh` takes what was found into the states, and `homelab up` then makes it what the program says; on hosts `homelab hosts apply` does. Where what was found is right, change the program. The next run of `homelab drift` closes this issue when nothing differs any more.";

export interface DriftOptions {
  /** Default: GitHub's, the smaller one. */
  readonly limit?: number;
  readonly run?: CommentRun | undefined;
}

const isFailed = ({ stacks, hosts }: DriftReport): boolean =>
  stacks.some(({ error }) => error !== undefined) || hosts.some(({ status }) => status === "failed");

function titleOf(report: DriftReport): string {
  const resources = report.stacks.reduce((sum, { resources: some }) => sum + some.length, 0);
  const hosts = report.hosts.filter(({ status }) => status === "would-change").length;
  const found = [...(resources > 0 ? [counted(resources, "resource")] : []), ...(hosts > 0 ? [counted(hosts, "host")] : [])];
  if (found.length === 0) return isFailed(report) ? "Drift: not everything could be looked at" : "Drift: gone";
  return `Drift: ${found.join(" and ")}${isFailed(report) ? ", and not everything could be looked at" : ""}`;
}

const stackRow = ({ stack, resources, error }: StackDrift): string => {
  const gone = resources.filter(({ how }) => how === "gone").length;
  return `| ${harmless(stack)} | ${resources.length - gone} | ${gone > 0 ? `**${gone}**` : "0"} | ${error === undefined ? "yes" : "**no**"} |`;
};

const HOST_WORDS: Record<string, string> = { "would-change": "differs", failed: "**not looked at**" };

/** Only rows that say something: a homelab has more stacks and hosts than drift. */
function tables(report: DriftReport): string {
  const stacks = report.stacks.filter(({ resources, error }) => resources.length > 0 || error !== undefined).map(stackRow);
  const hosts = report.hosts
    .filter(({ status }) => HOST_WORDS[status] !== undefined)
    .map(({ host, stack, status }) => `| ${inline(host)} | ${inline(stack)} | ${HOST_WORDS[status]} |`);
  return [capped(["| stack | changed | gone | looked at |", "|---|--:|--:|---|"], stacks, 4), capped(["| host | stack | roles |", "|---|---|---|"], hosts, 3)]
    .filter((part) => part !== "")
    .join("\n\n");
}

function capped(head: readonly string[], rows: readonly string[], columns: number): string {
  if (rows.length === 0) return "";
  const kept = [...head];
  let size = lengthOf(kept.join("\n"));
  for (const [i, row] of rows.entries()) {
    size += lengthOf(row) + 1;
    if (size > BUDGET.table / 2) return [...kept, `| … ${rows.length - i} more${" |".repeat(columns)}`].join("\n");
    kept.push(row);
  }
  return kept.join("\n");
}

const failures = (report: DriftReport): string =>
  sharing(
    report.stacks.flatMap(({ stack, error }) => (error === undefined ? [] : [{ stack, error }])),
    BUDGET.failures,
    ({ stack, error }, share) => fenced(`### ✘ ${harmless(stack)}`, "", [error.message, ...(error.hint === undefined ? [] : [`next: ${error.hint}`])], share),
    (count) => `… ${count} more stacks could not be looked at: see the run's report`,
  );

function gone(report: DriftReport): string {
  const lines = report.stacks.flatMap(({ stack, resources }) =>
    resources.filter(({ how }) => how === "gone").map(({ type, name }) => `**gone** ${inline(`${stack}: ${type} ${name}`)}`),
  );
  return bulletList("⚠ In the state, but gone from the homelab", lines, BUDGET.gone);
}

/** The blocks that are folded, each with its heading. */
function details(report: DriftReport): { title: string; lines: string[] }[] {
  const stacks = report.stacks
    .filter(({ resources }) => resources.length > 0)
    .map(({ stack, resources }) => ({ title: `${stack}: ${counted(resources.length, "resource")}`, lines: resources.flatMap(resourceLines) }));
  const hosts = report.hosts
    .filter(({ status }) => HOST_WORDS[status] !== undefined)
    .map((host) => ({
      title: `host ${host.host}`,
      lines: diffText({ version: 1, hosts: [host] })
        .trimEnd()
        .split("\n"),
    }));
  return [...stacks, ...hosts];
}

function runLine(run: CommentRun | undefined, lookedAt: string | undefined): string {
  if (run === undefined) return "";
  const time = lookedAt === undefined ? "" : `looked at ${lookedAt.slice(0, 16).replace("T", " ")} UTC, `;
  return `\ncommit ${inline(run.commit)}, ${time}[the run with all of it](${run.runUrl})\n`;
}

/**
 * Always within the limit: details give way first; every fence and fold that is opened is closed. `open` is false where everything was
 * looked at and nothing differs.
 */
export function renderDriftIssue(report: DriftReport, { limit = COMMENT_LIMITS.github, run }: DriftOptions = {}): IssueOfRun {
  const title = titleOf(report);
  const foot = runLine(run, report.lookedAt);
  if (!report.drifted && !isFailed(report)) return { open: false, title, body: `${DRIFT_MARKER}\n## Nothing differs any more\n${foot}` };
  const where = report.site === "lab" ? "the lab" : "the homelab";
  const said = report.drifted
    ? `What is in ${where} is not what the states and roles say.`
    : "Not everything could be looked at; what could is as it should be.";
  const parts = [`${DRIFT_MARKER}\n## ${said}`, tables(report), failures(report), gone(report)].filter((part) => part !== "");
  const last = `${report.drifted ? `${NEXT}\n` : ""}${foot}`;
  let left = limit - parts.reduce((sum, part) => sum + lengthOf(part) + 2, 0) - lengthOf(last);
  const blocks = details(report);
  for (const [i, block] of blocks.entries()) {
    const part = folded(block.title, "diff", block.lines, Math.floor(left / Math.min(blocks.length - i, 3)) - 2);
    if (part === "") continue;
    parts.push(part);
    left -= lengthOf(part) + 2;
  }
  return { open: true, title, body: `${parts.join("\n\n")}\n\n${last}` };
}

/** The issue of a `homelab drift` that ended before it had a report. */
export function renderNoDriftReport(why: string, run?: CommentRun): IssueOfRun {
  const body = `${DRIFT_MARKER}\n## Nothing could be looked at\n\n${fenced("It ended before the first stack.", "", why.split("\n"), BUDGET.failures)}\n${runLine(run, undefined)}`;
  return { open: true, title: "Drift: nothing could be looked at", body };
}
