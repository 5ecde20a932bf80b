import { countChanges, durationText } from "./changes";
import type { StackReport } from "./report-schema";

/** Rows of a run's closing table, in the run's order. */
export function tableRows(stacks: readonly StackReport[]): string[][] {
  return stacks.map((stack) => {
    const { create, update, replace, delete: gone, same } = countChanges(stack.changes);
    return [stack.stack, statusText(stack), ...[create, update, replace, gone, same].map(String), stack.duration === null ? "–" : durationText(stack.duration)];
  });
}

export const TABLE_HEAD = ["stack", "status", "create", "update", "replace", "delete", "same", "time"];

const statusText = (stack: StackReport): string => (stack.status === "succeeded" && stack.unknowns.length > 0 ? "unknown values" : stack.status);

/** A terminal's usual width: no table is wider. */
const TABLE_WIDTH = 80;

const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** Columns aligned for a terminal: text left, numbers right. The first gives way where the whole is too wide. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const excess = widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)) - TABLE_WIDTH;
  if (excess > 0) widths[0] = Math.max(8, (widths[0] ?? 0) - excess);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? clip(cell, widths[0] ?? 0).padEnd(widths[0] ?? 0) : i === 1 ? cell.padEnd(widths[1] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
