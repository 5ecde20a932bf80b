/** What a rehearsal of faults found, as a table for a terminal. */
import { counted } from "../../common/counted";
import type { Rehearsed } from "./rehearse-faults";
import { VERDICTS } from "./verdict";

const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** @param columns of the terminal; a reason is cut to one line of it */
export function survivalTable(done: readonly Rehearsed[], seed: number, columns: number): string {
  const names = Math.max(5, ...done.map(({ fault }) => fault.length));
  const verdicts = Math.max(...VERDICTS.map(({ length }) => length));
  const left = Math.max(30, columns - names - verdicts - 4);
  const line = (fault: string, verdict: string, why: string): string => `${fault.padEnd(names)}  ${verdict.padEnd(verdicts)}  ${clip(why, left)}`.trimEnd();
  const counts = VERDICTS.flatMap((verdict) => {
    const count = done.filter((each) => each.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return [
    line("fault", "verdict", "why"),
    line("─".repeat(names), "─".repeat(verdicts), "─".repeat(3)),
    ...done.map(({ fault, verdict, why, mended }) => line(fault, verdict, mended === undefined ? why : `${why}; then ${mended}`)),
    `${counted(done.length, "fault")} with seed ${seed}: ${counts.join(", ") || "none"}`,
  ].join("\n");
}
