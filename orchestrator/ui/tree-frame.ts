/** One frame of the live tree: a pure function of the run, the size of the terminal and the time. */
import { counted } from "../../common/counted";
import { changesText, durationText } from "../report/changes";
import { leftText } from "./estimate";
import type { ActiveStep, RunModel, StackRow } from "./run-model";

const MARK = { waiting: "·", running: "▶", succeeded: "✔", unaffected: "=", failed: "✘", skipped: "↷", cancelled: "■" } as const;
const COLOUR = { waiting: 90, running: 36, succeeded: 32, unaffected: 90, failed: 31, skipped: 33, cancelled: 33 } as const;
/** Steps under way that are listed below a running stack where there is room, and where there is less. */
const STEPS_SHOWN = [3, 1, 0] as const;
const GREY = 90;
const NOTE_COLOUR = 33;

type State = keyof typeof MARK;

export interface Line {
  text: string;
  /** A code of SGR (ECMA-48). */
  colour: number;
}

export interface FrameSize {
  columns: number;
  /** Lines that the frame may take at most. */
  rows: number;
}

const stateOf = ({ outcome, startedAt }: StackRow): State => outcome?.status ?? (startedAt === undefined ? "waiting" : "running");

/** Real work first. A component only contains other resources, and is shown only where nothing else is under way. */
function workOf({ active }: StackRow): ActiveStep[] {
  const all = [...active.values()];
  const real = all.filter(({ component }) => !component);
  return real.length > 0 ? real : all;
}

const ageText = (ms: number): string => `${Math.max(0, Math.floor(ms / 1000))}s`;

const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text);

function whatIsDone(model: RunModel, row: StackRow, planned: boolean): string {
  const { outcome, startedAt, done, active } = row;
  if (outcome === undefined) {
    if (startedAt === undefined) return `waits for ${model.waitsFor(row.stack).join(", ") || "its turn"}`;
    const under = [...active.values()].filter(({ component }) => !component).length;
    return `${done} done${under > 0 ? `, ${under} under way` : ""}`;
  }
  if (outcome.status === "succeeded") return changesText(outcome.changes, planned);
  if (outcome.status === "unaffected") return outcome.why ?? "";
  return outcome.blame ? `because ${outcome.blame} failed` : (outcome.error?.code ?? "");
}

function stackLines(model: RunModel, row: StackRow, options: { planned: boolean; now: number; steps: number }): Line[] {
  const state = stateOf(row);
  const end = row.outcome?.finishedAt ?? options.now;
  const time = row.startedAt === undefined ? "" : durationText(end - row.startedAt);
  const indent = "  ".repeat(model.depth(row.stack));
  const head = `${indent}${MARK[state]} ${row.stack.padEnd(16 - Math.min(8, indent.length))} ${time.padStart(7)}  ${whatIsDone(model, row, options.planned)}`;
  const work = workOf(row);
  const shown = work
    .slice(0, options.steps)
    .map(({ text, since, doing }) => `${indent}      ${text} (${ageText(options.now - since)})${doing === undefined ? "" : `: ${doing.split("\n")[0]}`}`);
  if (options.steps > 0 && work.length > options.steps) shown.push(`${indent}      … and ${work.length - options.steps} more`);
  return [{ text: head, colour: COLOUR[state] }, ...shown.map((text) => ({ text, colour: GREY }))];
}

/** Stacks of one state as one line. */
const folded = (state: State, count: number): Line => ({ text: `${MARK[state]} ${counted(count, "stack")} ${state}`, colour: COLOUR[state] });

/** Every form of the frame, the fullest first. */
function* forms(model: RunModel, planned: boolean, now: number): Generator<Line[]> {
  const rows = model.rows();
  for (const steps of STEPS_SHOWN) yield rows.flatMap((row) => stackLines(model, row, { planned, now, steps }));
  // First ended, then waiting stacks are folded to one line each. Running and failed ones stay.
  const gone: State[] = [];
  for (const state of ["succeeded", "unaffected", "waiting", "skipped", "cancelled"] as const) {
    gone.push(state);
    const summaries = gone.flatMap((of) => {
      const count = rows.filter((row) => stateOf(row) === of).length;
      return count === 0 ? [] : [folded(of, count)];
    });
    const rest = rows.filter((row) => !gone.includes(stateOf(row))).flatMap((row) => stackLines(model, row, { planned, now, steps: 0 }));
    yield [...rest, ...summaries];
  }
}

/** The line below the stacks: what happened to the run, or an estimate of the time left. */
function noteLine(model: RunModel, left: number | undefined): Line | undefined {
  if (model.note !== "") return { text: model.note, colour: NOTE_COLOUR };
  return left === undefined ? undefined : { text: leftText(left), colour: GREY };
}

/**
 * The fullest form that fits; where none does, as much of the shortest one as there is room for.
 * @param left estimate of the milliseconds that the run still takes, where earlier runs allow one
 */
export function treeFrame(model: RunModel, size: FrameSize, planned: boolean, now: number, left?: number): Line[] {
  const below = size.rows < 2 ? undefined : noteLine(model, left);
  const note: Line[] = below === undefined ? [] : [below];
  const room = Math.max(1, size.rows - note.length);
  let lines: Line[] = [];
  for (const form of forms(model, planned, now)) {
    lines = form;
    if (form.length <= room) break;
  }
  if (lines.length > room) lines = [...lines.slice(0, room - 1), { text: `… and ${lines.length - room + 1} more`, colour: GREY }];
  return [...lines, ...note].map(({ text, colour }) => ({ text: clip(text, size.columns), colour }));
}
