/**
 * What crosses between the orchestrator and the child process of one stack operation, over Node's IPC channel; version 2. Both ends
 * check what they get. Both are of one build, so another version, or anything else that does not fit, is a bug of ours.
 */
import { z } from "zod";

export const PROTOCOL = 2;

export const OPERATIONS = ["preview", "up", "refresh", "preview-destroy", "destroy", "drift", "outputs", "status"] as const;
export type Operation = (typeof OPERATIONS)[number];

const taskSchema = z.object({
  operation: z.enum(OPERATIONS),
  stack: z.string().min(1),
  /** Folder with Pulumi.yaml and the stacks' settings. */
  workDir: z.string().min(1),
  /** Folder whose bin/pulumi is the engine; undefined = `pulumi` on PATH. */
  engineRoot: z.string().optional(),
  /** Resource operations at once inside the stack. */
  parallel: z.number().int().positive(),
  /** Wait for a lock of the stack that another run holds, instead of failing. */
  wait: z.boolean().optional(),
  /** Of `destroy`: protected resources are destroyed too. For the lab, whose data nobody needs. */
  unprotect: z.boolean().optional(),
  /** Of `up`, `refresh` and `destroy`: the run before left the stack in doubt or failed, so pending creations are looked for first. */
  adopt: z.boolean().optional(),
  /** Of `up`: the outputs from before it are wanted too. */
  formerOutputs: z.boolean().optional(),
  /** Of `up` and `preview`: no run of this machine knows the stack, so it is created first, unless it exists. */
  isNew: z.boolean().optional(),
  /** Of `up`: the state is lost while its resources may exist. A resource that cannot be created because it exists is taken into the state. */
  takeOver: z.boolean().optional(),
  /** Of `up` and `preview`: applications that Argo CD delivers. Objects of theirs that the program would delete are refused. */
  deliveredByArgoCd: z.array(z.string()).optional(),
  /** Of `up` and `preview`: applications that the program delivers, and the stack of the Argo CD that may still have one of them. That is refused. */
  besideArgoCd: z.object({ argoCdOf: z.string(), apps: z.array(z.string()) }).optional(),
  /** The state may be out of date, so the engine reads the resources before it compares. */
  refresh: z.boolean().optional(),
});
type CheckedTask = z.infer<typeof taskSchema>;
export type WorkerTask = Omit<CheckedTask, "engineRoot"> & { engineRoot: string | undefined };

/** Parent to child: a task, the next one after its result, and cancellations in between, which ask the engine to stop at the next safe point. */
export const toWorkerSchema = z.union([z.object({ protocol: z.literal(PROTOCOL), task: taskSchema }), z.object({ cancel: z.literal(true) })]);

/** A property's old and new value as JSON; `from` is missing where it is added, `to` where it is removed. */
export const changedValueSchema = z.object({
  path: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  /** As the provider says in its detailed difference; missing where it gives none. */
  kind: z.enum(["add", "update", "delete"]).optional(),
  /** Whether this change alone replaces the resource. */
  replaces: z.boolean().optional(),
});
export type ChangedValue = z.infer<typeof changedValueSchema>;

export const stepSchema = z.object({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  /** A component resource: only its children are created. */
  component: z.boolean(),
  /** Changed property paths, where the engine knows them. */
  diffs: z.array(z.string()),
  /** Properties that force a replacement. */
  keys: z.array(z.string()),
  /** A deletion from the state only: the resource itself stays (`retainOnDelete`). */
  kept: z.boolean().optional(),
  /** Of an update, a replacement or a refresh, whole; secrets are masked by the engine. */
  values: z.array(changedValueSchema),
});
export type ResourceStep = z.infer<typeof stepSchema>;

/**
 * Why a stack failed. Code decides by it what is tried again; the error's text is only for people. It is set in one place, failure-class.ts.
 *
 * locked: another run holds the stack. busy: what the change needs is held for a moment, such as a VM's or a storage's lock.
 * unreachable: no connection, or it was cut. throttled: asked to come back later. timeout: too slow. refused: not allowed, or a wrong request.
 */
export const FAILURE_CLASSES = ["locked", "busy", "unreachable", "throttled", "timeout", "refused", "cancelled", "worker", "engine", "other"] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  class: z.enum(FAILURE_CLASSES).optional(),
  /** Codes of gRPC, HTTP and the system in the provider's errors: `UNAVAILABLE`, `503`, `ECONNREFUSED`. */
  provider: z.array(z.string()).optional(),
});

const outputSchema = z.object({ value: z.unknown(), secret: z.boolean() });
export type OutputValue = z.infer<typeof outputSchema>;

const resultSchema = z.object({
  ok: z.boolean(),
  /** Operation name to count, `same` included. */
  changes: z.record(z.string(), z.number()),
  /** Of `up` and `outputs`. */
  outputs: z.record(z.string(), outputSchema).optional(),
  /** Of an `up` that was asked for them; missing where the stack was not there. */
  formerOutputs: z.record(z.string(), outputSchema).optional(),
  /** Of `status`. */
  state: z.object({ exists: z.boolean(), resources: z.number(), lastUpdate: z.string().optional(), locked: z.boolean() }).optional(),
  error: errorSchema.optional(),
  /** The worker was killed before it had a result: what it did is not known. Set by its parent. */
  inDoubt: z.boolean().optional(),
});
export type WorkerResult = z.infer<typeof resultSchema>;

const messageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["step-started", "step-done", "step-failed"]), step: stepSchema }),
  z.object({ kind: z.literal("diagnostic"), severity: z.enum(["info", "warning", "error"]), urn: z.string(), message: z.string() }),
  /** A provider's message about a step that waits: the last one of each resource is shown, and none is kept. */
  z.object({ kind: z.literal("progress"), urn: z.string(), message: z.string() }),
  z.object({ kind: z.literal("result"), result: resultSchema }),
]);
export type WorkerMessage = z.infer<typeof messageSchema>;

/** Child to parent, in lists. Resource events come as they happen; exactly one `result` comes last. */
export const fromWorkerSchema = z.array(messageSchema);
