import type { Writer } from "../cli/sinks";
import { changesText, durationText } from "../report/changes";
import type { RunEvent } from "../schedule/run";
import type { StackGraph } from "../target/graph";
import { type CiHost, groupOf } from "./ci-groups";
import type { Display } from "./display";
import { leftText, timeLeft } from "./estimate";
import { RunModel } from "./run-model";

/** What a finished step is called in a line; steps not named here change nothing and are not shown. */
const DONE: Record<string, string> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  "create-replacement": "created (replacement)",
  "delete-replaced": "deleted (replaced)",
  import: "imported",
};

/** Milliseconds without a line, after which one says that the run goes on. CI hosts end jobs that say nothing for long. */
export const QUIET = 60_000;
/** Steps that such a line names. */
const STEPS_NAMED = 3;

export interface PlainOptions {
  graph: StackGraph;
  backwards: boolean;
  planned: boolean;
  now: () => number;
  /** Milliseconds that stacks took in earlier runs. */
  times: ReadonlyMap<string, number>;
  /** Folds the lines of each stack, once it has ended. Default: each line is written as it comes. */
  host?: CiHost | undefined;
}

/** One line an event, each with its stack: for CI and files. */
export class PlainDisplay implements Display {
  readonly #model: RunModel;
  readonly #timer: NodeJS.Timeout;
  /** Lines of stacks that have not ended, where a host folds them. */
  readonly #held = new Map<string, string[]>();
  #startedAt: number;
  #spokeAt: number;

  constructor(
    private readonly write: Writer,
    private readonly options: PlainOptions,
  ) {
    this.#model = new RunModel(options.graph, options.backwards);
    this.#startedAt = options.now();
    this.#spokeAt = this.#startedAt;
    this.#timer = setInterval(() => this.keepAlive(), QUIET / 4);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    this.#model.apply(event);
    // The model's messages, for the tree's screen, are among the lines already.
    this.#model.takeMessages();
    if (event.kind === "run-started") this.#startedAt = event.at;
    const line = plainLine(event, this.options.planned);
    const stack = "stack" in event ? event.stack : undefined;
    if (this.options.host === undefined || stack === undefined || event.kind === "stack-started") {
      if (line !== undefined) this.#say([line]);
      return;
    }
    const held = this.#held.get(stack) ?? [];
    if (line !== undefined) this.#held.set(stack, [...held, line]);
    if (event.kind === "stack-finished") this.#endStack(event, this.options.host, held, line ?? "");
  }

  /** Writes what is under way where nothing was written for a while. */
  keepAlive(): void {
    const now = this.options.now();
    if (now - this.#spokeAt < QUIET) return;
    const line = keepAliveLine(this.#model, this.options.times, this.#startedAt, now);
    if (line !== undefined) this.#say([line]);
  }

  close(): void {
    clearInterval(this.#timer);
    // A run that broke off has stacks that never ended.
    for (const lines of this.#held.values()) this.#say(lines);
    this.#held.clear();
  }

  /** What failed is not folded: nobody should have to look for it. */
  #endStack({ stack, outcome }: Extract<RunEvent, { kind: "stack-finished" }>, host: CiHost, lines: readonly string[], last: string): void {
    this.#held.delete(stack);
    if (outcome.status === "failed" || lines.length === 0) this.#say([...lines, last]);
    else this.#say(groupOf(host, `homelab_${stack}`, last, lines, { from: outcome.startedAt ?? outcome.finishedAt, to: outcome.finishedAt }));
  }

  #say(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#spokeAt = this.options.now();
    this.write(`${lines.join("\n")}\n`);
  }
}

/** Undefined where nothing runs. */
function keepAliveLine(model: RunModel, times: ReadonlyMap<string, number>, startedAt: number, now: number): string | undefined {
  const running = model.rows().filter(({ startedAt: since, outcome }) => since !== undefined && outcome === undefined);
  if (running.length === 0) return undefined;
  const stacks = running.map(({ stack, done, active }) => {
    const work = [...active.values()].filter(({ component }) => !component);
    const named = work.slice(0, STEPS_NAMED).map(({ text, since }) => `${text} for ${durationText(now - since)}`);
    if (work.length > STEPS_NAMED) named.push(`${work.length - STEPS_NAMED} more`);
    return `${stack} (${[`${done} done`, ...named].join(", ")})`;
  });
  const left = timeLeft(model, times, now);
  return `after ${durationText(now - startedAt)}: ${stacks.join("; ")}${left === undefined ? "" : `; ${leftText(left)}`}`;
}

/** Undefined for what is not shown. */
function plainLine(event: RunEvent, planned: boolean): string | undefined {
  switch (event.kind) {
    case "run-started":
      return `${event.operation}: ${event.stacks.join(", ")}`;
    case "stack-started":
      return `[${event.stack}] started`;
    case "step-done": {
      const done = DONE[event.step.op];
      if (done === undefined || event.step.component) return undefined;
      return `[${event.stack}] ${event.step.type} ${event.step.name} ${planned ? `to ${event.step.op}` : done}`;
    }
    case "step-failed":
      return `[${event.stack}] ${event.step.type} ${event.step.name} FAILED to ${event.step.op}`;
    case "step-started":
    case "progress":
    case "run-finished":
      return undefined;
    case "stack-retrying": {
      const { attempt, class: why, delay } = event.retry;
      return `[${event.stack}] try ${attempt} failed (${why}); the next in ${durationText(delay)}`;
    }
    case "timed-out":
      return `the run's time of ${durationText(event.after)} is over: what runs is cancelled, nothing new starts`;
    case "diagnostic":
      // Errors are shown once, below the run, with their resource and the next step.
      return event.severity !== "warning" ? undefined : `[${event.stack}] ${event.severity}: ${event.message.replaceAll("\n", `\n[${event.stack}]   `)}`;
    case "stack-finished": {
      const { outcome } = event;
      const time = outcome.startedAt === undefined ? "" : ` in ${durationText(outcome.finishedAt - outcome.startedAt)}`;
      const what =
        outcome.status === "succeeded"
          ? changesText(outcome.changes, planned)
          : outcome.blame
            ? `because ${outcome.blame} failed`
            : (outcome.error?.code ?? (outcome.status === "unaffected" ? outcome.why : "") ?? "");
      return `[${event.stack}] ${outcome.status}${time}${what ? `: ${what}` : ""}`;
    }
    case "interrupted":
      return event.how === "finishing" ? "interrupted: what runs is finished, nothing new starts (again to cancel)" : "interrupted again: cancelling";
  }
}
