import { indented } from "../../common/wrapped";
import { countChanges, durationText } from "./changes";
import type { RunReport, StackReport } from "./report-schema";

/** Rows of a run's closing table, in the run's order. */
export function tableRows({ operation, stacks }: Pick<RunReport, "operation" | "stacks">): string[][] {
  return stacks.map((stack) => {
    const { create, update, replace, delete: gone, same } = countChanges(stack.changes);
    return [
      stack.stack,
      statusText(operation, stack),
      ...[create, update, replace, gone, same].map(String),
      stack.duration === null ? "–" : durationText(stack.duration),
    ];
  });
}

export const TABLE_HEAD = ["stack", "status", "create", "update", "replace", "delete", "same", "time"];

/** A preview is complete where it knew every output of other stacks that it reads. */
function statusText(operation: RunReport["operation"], { status, unknowns }: StackReport): string {
  if (status !== "succeeded" || operation !== "preview") return status;
  return unknowns.length === 0 ? "complete" : "unknown outputs";
}

/** `dev waits for tools: templateIds, vaultId`, for each stack that a preview could read an output of and no value. */
export function waitingTexts(stacks: readonly StackReport[]): { stack: string; from: string; outputs: string[] }[] {
  return stacks.flatMap(({ stack, unknowns }) => {
    const by = new Map<string, string[]>();
    for (const name of unknowns) {
      const at = name.indexOf(".");
      by.set(name.slice(0, at), [...(by.get(name.slice(0, at)) ?? []), name.slice(at + 1)]);
    }
    return [...by].map(([from, outputs]) => ({ stack, from, outputs }));
  });
}

/** A terminal's usual width: no table is wider. */
const TABLE_WIDTH = 80;
const LEAST_OF_FIRST = 8;
const INDENT = "  ";

export const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** On a terminal that is too narrow for a table: the first cell of a row, and below it the others after their titles. */
export function renderRecords(head: readonly string[], rows: readonly (readonly string[])[], columns: number): string {
  const fieldsOf = (row: readonly string[]): string[] => row.flatMap((cell, i) => (i === 0 || cell === "" ? [] : [`${head[i]} ${cell}`]));
  // A title and its cell stay on one line where they fit on it.
  const kept = (field: string): string => (field.length < columns - INDENT.length ? field.replaceAll(" ", "\u00a0") : field);
  const below = (row: readonly string[]): string => indented(fieldsOf(row).map(kept).join(", "), columns, INDENT).replaceAll("\u00a0", " ");
  return rows.map((row) => `${row[0]}\n${below(row)}`).join("\n");
}

/**
 * Columns for a terminal: the first two are left-aligned, the others right-aligned. The first is cut where the table is too wide.
 * @param columns of the terminal
 */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], columns: number): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const whole = (): number => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  const excess = whole() - Math.min(columns, TABLE_WIDTH);
  if (excess > 0) widths[0] = Math.min(widths[0] ?? 0, Math.max(LEAST_OF_FIRST, (widths[0] ?? 0) - excess));
  if (columns < TABLE_WIDTH && whole() > columns) return renderRecords(head, rows, columns);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? clip(cell, widths[0] ?? 0).padEnd(widths[0] ?? 0) : i === 1 ? cell.padEnd(widths[1] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
