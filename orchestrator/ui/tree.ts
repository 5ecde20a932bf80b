import type { Writer } from "../cli/sinks";
import { changesText, durationText } from "../report/changes";
import type { RunEvent, StackOutcome } from "../schedule/run";
import type { StackGraph } from "../target/graph";
import type { ResourceStep } from "../worker/worker-protocol";
import type { Display } from "./display";

interface Row {
  startedAt: number | undefined;
  outcome: StackOutcome | undefined;
  done: number;
  /** Steps under way, by URN, oldest first. */
  active: Map<string, { text: string; since: number; component: boolean }>;
}

const MARK = { waiting: "·", running: "▶", succeeded: "✔", failed: "✘", skipped: "↷", cancelled: "■" } as const;
const COLOUR = { waiting: 90, running: 36, succeeded: 32, failed: 31, skipped: 33, cancelled: 33 } as const;
/** Resources under way that are listed below each running stack. */
const SHOWN = 3;
const FRAME_MS = 100;

/** A live tree: a row a stack, below each running stack what it does now. Redraws in place, for terminals only. */
export class TreeDisplay implements Display {
  readonly #rows = new Map<string, Row>();
  readonly #messages: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;
  #note = "";

  constructor(
    private readonly write: Writer,
    private readonly options: { graph: StackGraph; backwards: boolean; planned: boolean; colour: boolean; columns: () => number; now: () => number },
  ) {
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    switch (event.kind) {
      case "run-started":
        for (const stack of event.stacks) this.#rows.set(stack, { startedAt: undefined, outcome: undefined, done: 0, active: new Map() });
        break;
      case "stack-started":
        this.#row(event.stack).startedAt = event.at;
        break;
      case "step-started":
        if (event.step.op !== "same") {
          const { op, urn, component } = event.step;
          this.#row(event.stack).active.set(urn, { text: `${op} ${labelOf(event.step)}`, since: event.at, component });
        }
        break;
      case "step-failed":
        this.#messages.push(`[${event.stack}] ${labelOf(event.step)} FAILED to ${event.step.op}`);
        this.#ended(event.stack, event.step);
        break;
      case "step-done":
        this.#ended(event.stack, event.step);
        break;
      case "diagnostic":
        // Errors stand once, below the run, with their resource and the next step.
        if (event.severity === "warning") this.#messages.push(`[${event.stack}] ${event.severity}: ${event.message}`);
        break;
      case "stack-finished":
        this.#row(event.stack).outcome = event.outcome;
        this.#row(event.stack).active.clear();
        break;
      case "interrupted":
        this.#note = event.how === "finishing" ? "interrupted: what runs is finished, nothing new starts (again to cancel)" : "cancelling";
        break;
      case "run-finished":
        break;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #ended(stack: string, { urn, component }: ResourceStep): void {
    const row = this.#row(stack);
    row.active.delete(urn);
    if (!component) row.done++;
  }

  #row(stack: string): Row {
    const row = this.#rows.get(stack);
    if (row === undefined) throw new Error(`event for stack ${stack}, which is not part of the run`);
    return row;
  }

  #draw(): void {
    const width = Math.max(20, this.options.columns() - 1);
    const lines = [...this.#rows].flatMap(([stack, row]) => this.#stackLines(stack, row));
    if (this.#note) lines.push({ text: this.#note, colour: 33 });
    const clear = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[0J` : "";
    const messages = this.#messages.splice(0).map((message) => `${message}\n`);
    this.write(clear + messages.join("") + lines.map(({ text, colour }) => `${this.#paint(clip(text, width), colour)}\n`).join(""));
    this.#drawn = lines.length;
  }

  #stackLines(stack: string, row: Row): { text: string; colour: number }[] {
    const state = row.outcome?.status ?? (row.startedAt === undefined ? "waiting" : "running");
    const depth = this.#depth(stack);
    const end = row.outcome?.finishedAt ?? this.options.now();
    const time = row.startedAt === undefined ? "" : durationText(end - row.startedAt);
    const indent = "  ".repeat(depth);
    const head = {
      text: `${indent}${MARK[state]} ${stack.padEnd(16 - Math.min(8, indent.length))} ${time.padStart(7)}  ${this.#what(stack, row)}`,
      colour: COLOUR[state],
    };
    const work = workOf(row);
    const active = work.slice(0, SHOWN).map(({ text, since }) => ({ text: `${indent}      ${text} (${ageText(this.options.now() - since)})`, colour: 90 }));
    const more = work.length > SHOWN ? [{ text: `${indent}      … and ${work.length - SHOWN} more`, colour: 90 }] : [];
    return [head, ...active, ...more];
  }

  #what(stack: string, { outcome, startedAt, done, active }: Row): string {
    if (outcome === undefined) {
      if (startedAt === undefined) return `waits for ${this.#waitsFor(stack).join(", ") || "its turn"}`;
      const under = [...active.values()].filter(({ component }) => !component).length;
      return `${done} done${under > 0 ? `, ${under} under way` : ""}`;
    }
    if (outcome.status === "succeeded") return changesText(outcome.changes, this.options.planned);
    return outcome.blame ? `because ${outcome.blame} failed` : (outcome.error?.code ?? "");
  }

  /** Stacks of this run that go first, and have not ended. */
  #waitsFor(stack: string): string[] {
    return this.#first(stack).filter((other) => this.#rows.get(other)?.outcome === undefined);
  }

  /** Stacks of this run that go directly before this one: what it needs, or, in a destroy, what needs it. */
  #first(stack: string): string[] {
    const { graph, backwards } = this.options;
    const others = [...this.#rows.keys()];
    return backwards ? others.filter((other) => graph.reducedNeeds(other).includes(stack)) : graph.reducedNeeds(stack).filter((need) => others.includes(need));
  }

  #depth(stack: string): number {
    const first = this.#first(stack);
    return first.length === 0 ? 0 : 1 + Math.max(...first.map((other) => this.#depth(other)));
  }

  #paint(text: string, colour: number): string {
    return this.options.colour ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}

const labelOf = ({ type, name }: ResourceStep): string => `${type.split(":").pop()} ${name}`;

/** What is worked on: a component only stands around its parts, and is shown where nothing else is. */
function workOf({ active }: Row): { text: string; since: number }[] {
  const all = [...active.values()];
  const real = all.filter(({ component }) => !component);
  return real.length > 0 ? real : all;
}

const ageText = (ms: number): string => `${Math.max(0, Math.floor(ms / 1000))}s`;

const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
