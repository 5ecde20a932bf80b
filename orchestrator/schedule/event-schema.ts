/** The form of a run's events in `--json` and in its folder: one on each line. docs/events.schema.json is made of it. */
import { z } from "zod";
import { errorSchema, FAILURE_CLASSES, stepSchema } from "../worker/worker-protocol";
import { ENDED } from "./queue";
import type { RunEvent, StackOutcome } from "./run-types";

/** Milliseconds since the epoch. */
const at = z.number();
const stack = z.string();
const retry = z.object({ attempt: z.number().int().positive(), class: z.enum(FAILURE_CLASSES), message: z.string(), delay: z.number().nonnegative() });

/** Without outputs: `homelab outputs` prints them. */
const outcome = z.object({
  stack,
  status: z.enum(ENDED),
  changes: z.record(z.string(), z.number()),
  startedAt: at.optional(),
  finishedAt: at,
  error: errorSchema.optional(),
  retries: z.array(retry).readonly().optional(),
  inDoubt: z.boolean().optional(),
  blame: z.string().optional(),
  why: z.string().optional(),
  unknowns: z.array(z.string()).optional(),
});

export const eventSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("run-started"), version: z.literal(1), at, operation: z.string(), stacks: z.array(stack) }),
  z.object({ kind: z.literal("stack-started"), at, stack }),
  z.object({ kind: z.enum(["step-started", "step-done", "step-failed"]), at, stack, step: stepSchema }),
  z.object({ kind: z.literal("diagnostic"), at, stack, severity: z.enum(["info", "warning", "error"]), urn: z.string(), message: z.string() }),
  z.object({ kind: z.literal("progress"), at, stack, urn: z.string(), message: z.string() }),
  z.object({ kind: z.literal("stack-retrying"), at, stack, retry }),
  z.object({ kind: z.literal("stack-finished"), at, stack, outcome }),
  z.object({ kind: z.literal("interrupted"), at, how: z.enum(["finishing", "cancelling"]) }),
  z.object({ kind: z.literal("timed-out"), at, after: z.number() }),
  z.object({ kind: z.literal("run-finished"), at, ok: z.boolean() }),
]);
export type PrintedEvent = z.input<typeof eventSchema>;

type Printed<Event> = Event extends { kind: "stack-finished" }
  ? Omit<Event, "outcome"> & { outcome: Omit<StackOutcome, "outputs"> }
  : Event extends { kind: "run-started" }
    ? Event & { version: 1 }
    : Event;

/** The event as it is printed, without outputs, which may be large and may hold secrets. The compiler checks that both forms agree. */
export function printed(event: RunEvent): PrintedEvent {
  const form = (one: Printed<RunEvent>): PrintedEvent => one;
  if (event.kind === "run-started") return form({ version: 1, ...event });
  if (event.kind !== "stack-finished") return form(event);
  const { outputs: _outputs, ...rest } = event.outcome;
  return form({ ...event, outcome: rest });
}
