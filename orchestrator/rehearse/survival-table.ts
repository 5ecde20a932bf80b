/** What a rehearsal of faults found, as a table for a terminal. */
import { counted } from "../../common/counted";
import { clip, renderRecords } from "../report/table";
import type { Rehearsed } from "./rehearse-faults";
import { VERDICTS } from "./verdict";

/** Columns that a reason has at least. */
const LEAST_OF_REASON = 30;

/** @param columns of the terminal; a reason is cut to one line of it, but for a terminal that is too narrow for a table */
export function survivalTable(done: readonly Rehearsed[], seed: number, columns: number): string {
  const names = Math.max(5, ...done.map(({ fault }) => fault.length));
  const verdicts = Math.max(...VERDICTS.map(({ length }) => length));
  const left = columns - names - verdicts - 4;
  const line = (fault: string, verdict: string, why: string): string => `${fault.padEnd(names)}  ${verdict.padEnd(verdicts)}  ${clip(why, left)}`.trimEnd();
  const counts = VERDICTS.flatMap((verdict) => {
    const count = done.filter((each) => each.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  const rows = done.map(({ fault, verdict, why, mended }): [string, string, string] => [fault, verdict, mended === undefined ? why : `${why}; then ${mended}`]);
  const head: [string, string, string] = ["fault", "verdict", "why"];
  const table = [line(...head), line("─".repeat(names), "─".repeat(verdicts), "─".repeat(3)), ...rows.map((row) => line(...row))];
  return [
    ...(left < LEAST_OF_REASON ? [renderRecords(head, rows, columns)] : table),
    `${counted(done.length, "fault")} with seed ${seed}: ${counts.join(", ") || "none"}`,
  ].join("\n");
}
