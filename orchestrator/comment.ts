import { changesText, countChanges, durationText } from "./changes";
import type { RunReport, StackReport } from "./report";

/** GitHub refuses a comment of 65,536 characters or more. */
export const COMMENT_LIMIT = 65_536;
/** Found again by this line when the comment is updated in place. */
export const COMMENT_MARKER = "<!-- homelab:preview -->";

const OP_MARK: Record<string, string> = { create: "+", update: "~", replace: "±", delete: "-", import: "=" };

/**
 * Text from resources made harmless inside a comment: no mention, no HTML, no end of a fence or a folded block, one line.
 */
export function harmless(text: string): string {
  return text.replaceAll("`", "ʼ").replaceAll("<", "‹").replaceAll(">", "›").replaceAll("@", "@\u200b").replaceAll("\r", "");
}

function completeness(stack: StackReport): string {
  if (stack.status !== "succeeded") return stack.status === "skipped" ? `skipped (${stack.blame ?? "?"} failed)` : stack.status;
  return stack.unknowns.length === 0 ? "complete" : `depends on ${stack.unknowns.map((u) => `\`${harmless(u)}\``).join(", ")}`;
}

function tableRow(stack: StackReport): string {
  const { create, update, replace, delete: gone, same } = countChanges(stack.changes);
  const loud = (count: number): string => (count > 0 ? `**${count}**` : "0");
  const time = stack.duration === null ? "–" : durationText(stack.duration);
  return `| ${stack.stack} | ${create} | ${update} | ${loud(replace)} | ${loud(gone)} | ${same} | ${completeness(stack)} | ${time} |`;
}

/** Replacements and deletions of the whole estate: what a reviewer must not miss, so it stands outside the folds. */
function warnings(report: RunReport): string[] {
  const lines = report.stacks.flatMap((stack) =>
    stack.steps
      .filter((step) => step.op === "delete" || step.op === "replace")
      .map(
        (step) =>
          `- **${step.op}** \`${harmless(`${stack.stack}: ${step.type} ${step.name}`)}\`${step.keys.length > 0 ? ` because of ${step.keys.map((k) => `\`${harmless(k)}\``).join(", ")}` : ""}`,
      ),
  );
  return lines.length > 0 ? ["", "### ⚠ Replacements and deletions", "", ...lines] : [];
}

function errors(report: RunReport): string[] {
  return report.stacks.flatMap((stack) =>
    stack.error === undefined
      ? []
      : ["", `### ✘ ${stack.stack}`, "", "```", harmless(stack.error.message), ...(stack.error.hint ? [`next: ${harmless(stack.error.hint)}`] : []), "```"],
  );
}

function details(stack: StackReport): string[] {
  const lines = stack.steps
    .filter((step) => OP_MARK[step.op] !== undefined && step.type !== "pulumi:pulumi:Stack")
    .map(
      (step) =>
        `${OP_MARK[step.op]} ${harmless(`${step.type} ${step.name}`)}${step.diffs.length > 0 && step.op !== "create" ? ` [${harmless(step.diffs.join(", "))}]` : ""}`,
    );
  if (lines.length === 0) return [];
  return ["", `<details><summary>${stack.stack}: ${changesText(stack.changes, true)}</summary>`, "", "```diff", ...lines, "```", "</details>"];
}

/** Cuts a list of lines to a budget of characters, at a line, and says how much is missing. */
function within(lines: readonly string[], budget: number): string {
  const whole = lines.join("\n");
  if (whole.length <= budget) return whole;
  const kept: string[] = [];
  let size = 120;
  for (const line of lines) {
    if (size + line.length + 1 > budget) break;
    kept.push(line);
    size += line.length + 1;
  }
  return [...kept, `… ${lines.length - kept.length} more lines are left out here; the run's report has them all`].join("\n");
}

/**
 * The comment on a pull request: table of stacks first, replacements, deletions and failures loud, each stack's steps folded.
 * Always shorter than {@link COMMENT_LIMIT}: details give way first, then the loud lists; the table never.
 */
export function renderComment(report: RunReport): string {
  const title = report.ok ? (report.changed ? "This changes the homelab" : "No changes") : "The preview failed";
  const head = [
    COMMENT_MARKER,
    `## ${title}`,
    "",
    "| stack | create | update | replace | delete | same | preview | time |",
    "|---|--:|--:|--:|--:|--:|---|--:|",
    ...report.stacks.map(tableRow),
  ].join("\n");
  const foot = `\n\nengine: ${report.engine.name}, ${report.site === "lab" ? "in the lab" : "against the homelab"}, ${durationText(report.duration)}\n`;
  let budget = COMMENT_LIMIT - 1 - head.length - foot.length;
  const loud = within([...errors(report), ...warnings(report)], Math.min(budget, COMMENT_LIMIT / 2));
  budget -= loud.length + 1;
  const folded: string[] = [];
  for (const stack of report.stacks) {
    const block = details(stack).join("\n");
    if (block === "") continue;
    const short = `\n<details><summary>${stack.stack}: ${changesText(stack.changes, true)}</summary>\n\ntoo long for a comment; see the run's report\n</details>`;
    const chosen = block.length + 1 <= budget ? block : short;
    if (chosen.length + 1 > budget) break;
    folded.push(chosen);
    budget -= chosen.length + 1;
  }
  return [head, loud, ...folded].filter((part) => part !== "").join("\n") + foot;
}
