import type { Writer } from "../cli/sinks";
import { changesText, durationText } from "../report/changes";
import type { RunEvent } from "../schedule/run";
import type { Display } from "./display";

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

/** One line an event, each with its stack: for CI and files. */
export class PlainDisplay implements Display {
  constructor(
    private readonly write: Writer,
    private readonly planned: boolean,
  ) {}

  event(event: RunEvent): void {
    const line = this.#line(event);
    if (line !== undefined) this.write(`${line}\n`);
  }

  close(): void {
    // Nothing is open: each line was written as it came.
  }

  #line(event: RunEvent): string | undefined {
    switch (event.kind) {
      case "run-started":
        return `${event.operation}: ${event.stacks.join(", ")}`;
      case "stack-started":
        return `[${event.stack}] started`;
      case "step-done": {
        const done = DONE[event.step.op];
        if (done === undefined || event.step.component) return undefined;
        return `[${event.stack}] ${event.step.type} ${event.step.name} ${this.planned ? `to ${event.step.op}` : done}`;
      }
      case "step-failed":
        return `[${event.stack}] ${event.step.type} ${event.step.name} FAILED to ${event.step.op}`;
      case "step-started":
      case "progress":
        return undefined;
      case "stack-retrying": {
        const { attempt, class: why, delay } = event.retry;
        return `[${event.stack}] try ${attempt} failed (${why}); the next in ${durationText(delay)}`;
      }
      case "timed-out":
        return `the run's time of ${durationText(event.after)} is over: what runs is cancelled, nothing new starts`;
      case "diagnostic":
        // Errors stand once, below the run, with their resource and the next step.
        return event.severity !== "warning" ? undefined : `[${event.stack}] ${event.severity}: ${event.message.replaceAll("\n", `\n[${event.stack}]   `)}`;
      case "stack-finished": {
        const { outcome } = event;
        const time = outcome.startedAt === undefined ? "" : ` in ${durationText(outcome.finishedAt - outcome.startedAt)}`;
        const what =
          outcome.status === "succeeded"
            ? changesText(outcome.changes, this.planned)
            : outcome.blame
              ? `because ${outcome.blame} failed`
              : (outcome.error?.code ?? (outcome.status === "unaffected" ? outcome.why : "") ?? "");
        return `[${event.stack}] ${outcome.status}${time}${what ? `: ${what}` : ""}`;
      }
      case "interrupted":
        return event.how === "finishing" ? "interrupted: what runs is finished, nothing new starts (again to cancel)" : "interrupted again: cancelling";
      case "run-finished":
        return undefined;
    }
  }
}
