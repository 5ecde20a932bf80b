/** What a run looks like now, folded from its events: what the live tree draws. */
import { durationText } from "../report/changes";
import type { RunEvent, StackOutcome } from "../schedule/run";
import type { StackGraph } from "../target/graph";
import type { ResourceStep } from "../worker/worker-protocol";

/** A step that is under way. */
export interface ActiveStep {
  /** `create VmLegacy my-host-vm`. */
  text: string;
  /** Milliseconds since the epoch. */
  since: number;
  component: boolean;
  /** What the provider last said of it. */
  doing?: string;
}

export interface StackRow {
  stack: string;
  startedAt: number | undefined;
  outcome: StackOutcome | undefined;
  /** Resources that are done; components do not count. */
  done: number;
  /** By URN, oldest first. */
  active: Map<string, ActiveStep>;
}

const labelOf = ({ type, name }: ResourceStep): string => `${type.split(":").pop()} ${name}`;

export class RunModel {
  readonly #rows = new Map<string, StackRow>();
  readonly #messages: string[] = [];
  /** The line below the stacks, such as that the run was interrupted. */
  note = "";

  /** @param backwards a destroy: what needs a stack goes before it */
  constructor(
    readonly graph: StackGraph,
    readonly backwards: boolean,
  ) {}

  apply(event: RunEvent): void {
    switch (event.kind) {
      case "run-started":
        for (const stack of event.stacks) this.#rows.set(stack, { stack, startedAt: undefined, outcome: undefined, done: 0, active: new Map() });
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
        // Errors are shown once, below the run, with their resource and the next step.
        if (event.severity === "warning") this.#messages.push(`[${event.stack}] ${event.severity}: ${event.message}`);
        break;
      case "stack-finished":
        this.#row(event.stack).outcome = event.outcome;
        this.#row(event.stack).active.clear();
        break;
      case "interrupted":
        this.note = event.how === "finishing" ? "interrupted: what runs is finished, nothing new starts (again to cancel)" : "cancelling";
        break;
      case "progress": {
        const active = this.#row(event.stack).active.get(event.urn);
        if (active !== undefined) active.doing = event.message;
        break;
      }
      case "stack-retrying":
        this.#messages.push(`[${event.stack}] try ${event.retry.attempt} failed (${event.retry.class}); the next in ${durationText(event.retry.delay)}`);
        this.#row(event.stack).active.clear();
        break;
      case "timed-out":
        this.note = "the run's time is over: cancelling";
        break;
      case "run-finished":
        break;
    }
  }

  /** In the order of the run. */
  rows(): StackRow[] {
    return [...this.#rows.values()];
  }

  /** Messages since the last call. They stay on the screen, above the stacks. */
  takeMessages(): string[] {
    return this.#messages.splice(0);
  }

  /** Stacks of this run that go directly before this one: what it needs or, in a destroy, what needs it. */
  before(stack: string): string[] {
    const others = [...this.#rows.keys()];
    if (this.backwards) return others.filter((other) => this.graph.reducedNeeds(other).includes(stack));
    return this.graph.reducedNeeds(stack).filter((need) => others.includes(need));
  }

  /** Those of {@link before} that have not ended. */
  waitsFor(stack: string): string[] {
    return this.before(stack).filter((other) => this.#rows.get(other)?.outcome === undefined);
  }

  depth(stack: string): number {
    const first = this.before(stack);
    return first.length === 0 ? 0 : 1 + Math.max(...first.map((other) => this.depth(other)));
  }

  #ended(stack: string, { urn, component }: ResourceStep): void {
    const row = this.#row(stack);
    row.active.delete(urn);
    if (!component) row.done++;
  }

  #row(stack: string): StackRow {
    const row = this.#rows.get(stack);
    if (row === undefined) throw new Error(`event for stack ${stack}, which is not part of the run`);
    return row;
  }
}
