import { countChanges, durationText } from "./changes";
import type { StackOutcome } from "./run";

/** Rows of a run's closing table, in the run's order. */
export function tableRows(outcomes: readonly StackOutcome[]): string[][] {
  return outcomes.map((outcome) => {
    const { create, update, replace, delete: gone, same } = countChanges(outcome.changes);
    const time = outcome.startedAt === undefined ? "–" : durationText(outcome.finishedAt - outcome.startedAt);
    return [outcome.stack, statusText(outcome), ...[create, update, replace, gone, same].map(String), time];
  });
}

export const TABLE_HEAD = ["stack", "status", "create", "update", "replace", "delete", "same", "time"];

function statusText(outcome: StackOutcome): string {
  if (outcome.status === "skipped") return `skipped (${outcome.blame ?? "?"} failed)`;
  if (outcome.status === "succeeded" && (outcome.unknowns?.length ?? 0) > 0) return "open values";
  return outcome.status;
}

/** Columns aligned for a terminal: text left, numbers right. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
