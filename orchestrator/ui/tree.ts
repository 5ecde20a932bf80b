import { changesText, durationText } from "../changes";
import type { StackGraph } from "../graph";
import type { RunEvent, StackOutcome } from "../run";
import type { Display, Writer } from "./display";

interface Row {
  startedAt: number | undefined;
  outcome: StackOutcome | undefined;
  done: number;
  /** Steps under way, by URN. */
  active: Map<string, string>;
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
    private readonly options: { graph: StackGraph; planned: boolean; colour: boolean; columns: () => number; now: () => number },
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
        if (event.step.op !== "same")
          this.#row(event.stack).active.set(event.step.urn, `${event.step.op} ${event.step.type.split(":").pop()} ${event.step.name}`);
        break;
      case "step-done":
      case "step-failed":
        this.#row(event.stack).active.delete(event.step.urn);
        this.#row(event.stack).done++;
        break;
      case "diagnostic":
        if (event.severity !== "info") this.#messages.push(`[${event.stack}] ${event.severity}: ${event.message}`);
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
    const what =
      row.outcome === undefined
        ? row.startedAt === undefined
          ? `waits for ${this.options.graph.reducedNeeds(stack).join(", ") || "its turn"}`
          : `${row.done} steps done`
        : row.outcome.status === "succeeded"
          ? changesText(row.outcome.changes, this.options.planned)
          : row.outcome.blame
            ? `because ${row.outcome.blame} failed`
            : (row.outcome.error?.code ?? "");
    const indent = "  ".repeat(depth);
    const head = { text: `${indent}${MARK[state]} ${stack.padEnd(16 - Math.min(8, indent.length))} ${time.padStart(7)}  ${what}`, colour: COLOUR[state] };
    const active = [...row.active.values()].slice(0, SHOWN).map((text) => ({ text: `${indent}      ${text}`, colour: 90 }));
    const more = row.active.size > SHOWN ? [{ text: `${indent}      … and ${row.active.size - SHOWN} more`, colour: 90 }] : [];
    return [head, ...active, ...more];
  }

  #depth(stack: string): number {
    const { graph } = this.options;
    const needs = graph.reducedNeeds(stack).filter((need) => this.#rows.has(need));
    return needs.length === 0 ? 0 : 1 + Math.max(...needs.map((need) => this.#depth(need)));
  }

  #paint(text: string, colour: number): string {
    return this.options.colour ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}

const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
