/**
 * The child process of one stack operation. Runs the unmodified Automation API against the engine that the task names and
 * reports to its parent; see worker-protocol.ts. A process of its own, because programs and Automation API servers of several
 * stacks in one Node process can fail each other (an unhandled rejection of one is taken for an error of all).
 */
import type { EngineEvent, OutputMap, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import { z } from "zod";
import { systemClock } from "../../common/clock";
import { asError } from "../../common/errors";
import { leanStart } from "../../common/lean-start";
import { checkOwners } from "../state/handed-over";
import { adoptPending, pendingCreates, settleRemade } from "../state/pending-creates";
import { changedValues, driftedValues } from "./changed-values";
import { closeEngines, engineCommands, warmEngine } from "./embedded-command";
import type { ToldError } from "./failure-class";
import { automationApi, stackState, unprotectAll, withStack } from "./stack";
import { stackFailure } from "./stack-failure";
import { FailedCreations, type PlannedStep, type TakeOver, upTakingOver } from "./take-over";
import { saysLocked, whenFree } from "./when-free";
import { type OutputValue, type ResourceStep, toWorkerSchema, type WorkerMessage, type WorkerResult, type WorkerTask } from "./worker-protocol";

/** Of the task that is under way. */
let abort = new AbortController();

/** Messages of this turn of the event loop, sent together: a write to the parent costs as much as the work that it reports. */
let outbox: WorkerMessage[] = [];

function flush(): void {
  // The orchestrator may have died. Then nothing is sent, and the engine still comes to a safe point.
  if (outbox.length > 0 && process.connected) process.send?.(outbox);
  outbox = [];
}

function send(message: WorkerMessage): void {
  if (outbox.length === 0) setImmediate(flush);
  outbox.push(message);
}

/** @param reads whether it is a refresh, whose updates are differences that were found */
function step(metadata: StepEventMetadata, reads: boolean): ResourceStep {
  return {
    op: metadata.op,
    urn: metadata.urn,
    type: metadata.type,
    name: metadata.urn.split("::").pop() ?? metadata.urn,
    diffs: metadata.detailedDiff ? Object.keys(metadata.detailedDiff) : (metadata.diffs ?? []),
    keys: metadata.keys ?? [],
    component: (metadata.new ?? metadata.old)?.custom === false,
    ...(metadata.op === "delete" && metadata.old?.retainOnDelete === true ? { kept: true } : {}),
    values: reads && metadata.op === "update" ? driftedValues(metadata) : changedValues(metadata),
  };
}

/**
 * Whether the step is of a package's default provider. The engine hides such steps, except deletions. A preview has such a deletion where it takes
 * another stack's outputs from its plan: the provider that would have read them from the state is not used.
 */
const isDefaultProvider = ({ type, name }: ResourceStep): boolean => type.startsWith("pulumi:providers:") && /^default(_|$)/.test(name);

/** Colour tags that the engine puts into messages: `<{%reset%}>`. */
const COLOUR_TAG = /<\{%[^%]*%\}>/g;

const textOf = (raw: string): string => raw.replace(COLOUR_TAG, "").trimEnd();

function severityOf(severity: string): "info" | "warning" | "error" | undefined {
  if (severity === "error" || severity === "warning") return severity;
  return severity === "info" || severity === "info#err" ? "info" : undefined;
}

/** What the embedded engine adds to the Automation API's form of a diagnostic. */
const codesSchema = z.looseObject({ codes: z.array(z.string()).optional() });

class EventReader {
  changes: Record<string, number> = {};
  readonly errors: ToldError[] = [];
  readonly #open = new Map<string, ResourceStep>();

  /** @param reads whether it is a refresh, or a preview of one */
  constructor(private readonly reads: boolean) {}

  readonly read = (event: EngineEvent): void => {
    if (event.resourcePreEvent) {
      const started = step(event.resourcePreEvent.metadata, this.reads);
      if (isDefaultProvider(started)) return;
      this.#open.set(started.urn, started);
      send({ kind: "step-started", step: started });
    } else if (event.resOutputsEvent) {
      const done = step(event.resOutputsEvent.metadata, this.reads);
      if (isDefaultProvider(done)) return;
      const started = this.#open.get(done.urn);
      send({ kind: "step-done", step: started?.op === done.op ? started : done });
    } else if (event.resOpFailedEvent) {
      send({ kind: "step-failed", step: step(event.resOpFailedEvent.metadata, this.reads) });
    } else if (event.diagnosticEvent) {
      const { severity, urn = "", message, ephemeral } = event.diagnosticEvent;
      if (ephemeral === true) send({ kind: "progress", urn, message: textOf(message) });
      else this.#diagnostic(severity, urn, message, codesSchema.parse(event.diagnosticEvent).codes);
    } else if (event.policyEvent) {
      const { enforcementLevel, resourceUrn, policyName, message } = event.policyEvent;
      this.#diagnostic(enforcementLevel === "mandatory" ? "error" : "warning", resourceUrn ?? "", `policy ${policyName}: ${message}`);
    } else if (event.summaryEvent) {
      for (const [op, count] of Object.entries(event.summaryEvent.resourceChanges)) if (count !== undefined) this.changes[op] = count;
    }
  };

  #diagnostic(severityName: string, urn: string, raw: string, codes?: readonly string[]): void {
    const severity = severityOf(severityName);
    const message = textOf(raw);
    if (severity === undefined || message === "") return;
    if (severity === "error") this.errors.push({ message, codes });
    send({ kind: "diagnostic", severity, urn, message });
  }
}

const outputValues = (outputs: OutputMap): Record<string, OutputValue> =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value, secret }]) => [name, { value, secret }]));

/** Looks for resources that a killed engine had begun to create: creating one again would fail where it exists. */
async function adopt(task: WorkerTask): Promise<void> {
  const run = engineCommands(task);
  const say = (urn: string, message: string): void => send({ kind: "diagnostic", severity: "warning", urn, message });
  try {
    for (const { urn, id } of await adoptPending(run, task.stack, await pendingCreates(run, task.stack)))
      say(urn, `${urn.split("::").at(-1)} was begun by a run that was killed; it was looked for as ${id}, and what is there is taken over`);
  } catch (thrown) {
    // The operation itself will find the same lock, and name its holder or wait for it.
    if (saysLocked(thrown)) return;
    // Where such a resource exists, the run itself will fail to create it, and report that.
    say("", `what a killed run had begun could not be looked for: ${asError(thrown).message}`);
  }
}

/** Removes pending creations that the update has made again. The update counts as done even where this fails. */
async function settle(task: WorkerTask): Promise<void> {
  try {
    await settleRemade(engineCommands(task), task.stack);
  } catch (thrown) {
    const message = `what a killed run had begun was made again, and could not be taken off the list of what is pending: ${asError(thrown).message}`;
    send({ kind: "diagnostic", severity: "warning", urn: "", message });
  }
}

/** Whether an event reports a failure that a take-over may resolve. */
const isFailure = ({ resOpFailedEvent, diagnosticEvent }: EngineEvent): boolean => resOpFailedEvent !== undefined || diagnosticEvent?.severity === "error";

/** An `up` that takes over existing resources. A creation that failed because the resource exists is no failure of the run, and not reported. */
async function takeOver(stack: Stack, task: WorkerTask, events: EventReader): Promise<OutputMap> {
  const failed = new FailedCreations();
  const common = { parallel: task.parallel, signal: abort.signal, color: "never" as const };
  let failures: EngineEvent[] = [];
  const parts: TakeOver = {
    run: engineCommands(task),
    stack: task.stack,
    failed,
    say: (urn, message) => send({ kind: "diagnostic", severity: "warning", urn, message }),
    attempt: async () => {
      failures = [];
      await stack.up({
        ...common,
        continueOnError: true,
        onError: engineWarnings(),
        onEvent: (event) => {
          failed.read(event);
          if (isFailure(event)) failures.push(event);
          else events.read(event);
        },
      });
    },
    preview: async () => {
      const planned: PlannedStep[] = [];
      const onEvent = ({ resourcePreEvent }: EngineEvent): void => {
        if (resourcePreEvent !== undefined) planned.push({ ...resourcePreEvent.metadata, keys: resourcePreEvent.metadata.keys ?? [] });
      };
      await stack.preview({ ...common, onEvent });
      return planned;
    },
  };
  try {
    await upTakingOver(parts);
  } catch (thrown) {
    for (const event of failures) events.read(event);
    throw thrown;
  }
  return stack.outputs();
}

async function operate(stack: Stack, task: WorkerTask, events: EventReader): Promise<Omit<WorkerResult, "ok" | "changes">> {
  const common = { onEvent: events.read, parallel: task.parallel, signal: abort.signal, color: "never" as const, onError: engineWarnings() };
  const refreshing = { ...common, refresh: task.refresh === true };
  // An up would fail at the resource of a pending creation, and a destroy would leave it behind.
  if (task.adopt === true) await adopt(task);
  if (task.operation === "preview" || task.operation === "up") await checkOwners(engineCommands(task), task);
  switch (task.operation) {
    case "preview":
      await stack.preview(refreshing);
      return {};
    case "up": {
      const former = task.formerOutputs === true ? outputValues(await stack.outputs()) : undefined;
      const outputs = task.takeOver === true ? await takeOver(stack, task, events) : (await stack.up(refreshing)).outputs;
      if (task.adopt === true) await settle(task);
      return { outputs: outputValues(outputs), ...(former === undefined ? {} : { formerOutputs: former }) };
    }
    case "refresh":
      await stack.refresh(common);
      return {};
    case "drift":
      await stack.previewRefresh(common);
      return {};
    case "preview-destroy":
      await stack.previewDestroy(refreshing);
      return {};
    case "destroy":
      if (task.unprotect === true) await unprotectAll(task);
      await stack.destroy(refreshing);
      return {};
    case "outputs":
      return { outputs: outputValues(await stack.outputs()) };
    case "status":
      throw new Error("status needs no stack");
  }
}

/** The engine's warnings from its start, such as that it took over a dead run's lock, are only on its standard error. */
function engineWarnings(): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = /^warning: (.*)$/.exec(line)?.[1];
      if (message !== undefined) send({ kind: "diagnostic", severity: "warning", urn: "", message });
    }
  };
}

async function operateWhenFree(stack: Stack, task: WorkerTask, events: EventReader): Promise<Omit<WorkerResult, "ok" | "changes">> {
  const { ConcurrentUpdateError } = await automationApi();
  return whenFree(() => operate(stack, task, events), {
    clock: systemClock,
    signal: abort.signal,
    waits: task.wait === true,
    isHeld: (thrown) => thrown instanceof ConcurrentUpdateError,
    tell: () => send({ kind: "diagnostic", severity: "warning", urn: "", message: "the stack is locked by another run; waiting for it" }),
  });
}

async function run(task: WorkerTask): Promise<WorkerResult> {
  const events = new EventReader(task.operation === "refresh" || task.operation === "drift");
  try {
    if (task.operation === "status") return { ok: true, changes: {}, state: await stackState(task) };
    const done = await withStack(task, (stack) => operateWhenFree(stack, task, events));
    return done === undefined ? { ok: true, changes: {}, outputs: {} } : { ok: true, changes: events.changes, ...done };
  } catch (thrown) {
    return { ok: false, changes: events.changes, error: stackFailure(thrown, events.errors, abort.signal.aborted) };
  }
}

leanStart("worker");
// It loads while the worker waits for its task. The task reports a failure to load.
automationApi().catch(() => undefined);
const [embedded] = process.argv.slice(2);
if (embedded !== undefined) warmEngine(embedded);

/** The last message of a task, after all others of it. The parent may have another one. */
function finish(result: WorkerResult): void {
  outbox.push({ kind: "result", result });
  flush();
}

process.on("message", (raw: unknown) => {
  const { data: message, error } = toWorkerSchema.safeParse(raw);
  if (message === undefined) {
    finish({ ok: false, changes: {}, error: { code: "E_WORKER", class: "worker", message: `the task does not fit the protocol: ${error?.message}` } });
    return;
  }
  if ("cancel" in message) {
    abort.abort();
    return;
  }
  // A cancellation that came after the result of the previous task was for that task.
  abort = new AbortController();
  const { engineRoot } = message.task;
  run({ ...message.task, engineRoot }).then(finish, (thrown: unknown) =>
    finish({ ok: false, changes: {}, error: { code: "E_INTERNAL", class: "other", message: String(asError(thrown).stack) } }),
  );
});
// The orchestrator died: finish nothing new, let the engine stop at a safe point.
process.on("disconnect", () => {
  abort.abort();
  closeEngines();
});
