/** The operation of an Application: how it begins, advances by one step, is retried, and is recorded in the history. */
import type { Kube } from "../controllers/kube";
import type { WorkQueue } from "../controllers/queue";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, isMap, type JsonMap, listAt, same } from "../kubernetes/objects";
import { type Observer, Refused, type Seen } from "./observer";
import { afterFailure, untilRetry } from "./operation";
import { NotModelled, type Operation, type OperationState, OWN_CLUSTER, operationSchema, parseStrictly } from "./schema";
import { SyncStep } from "./sync";

const KIND = "Application";
/** Entries of the history that are kept. */
const HISTORY = 10;
/** How often it looks at another cluster while a sync runs there. */
const ELSEWHERE_MS = 200;

export class Operations {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly ctx: LabContext,
    private readonly observer: Observer,
  ) {}

  state(app: KubeObject): OperationState | undefined {
    const given = at(app, "status", "operationState");
    return isMap(given) ? (given as unknown as OperationState) : undefined;
  }

  asked(app: KubeObject): Operation | Refused | undefined {
    if (app["operation"] === undefined) return undefined;
    try {
      return parseStrictly(operationSchema, app["operation"], "operation");
    } catch (thrown) {
      if (!(thrown instanceof NotModelled)) throw thrown;
      return new Refused("SyncError", [this.observer.unmodelled.note(thrown.message)]);
    }
  }

  /** The first state of a requested operation, or the state of the one that is running. */
  begun(app: KubeObject, operation: Operation | Refused | undefined, state: OperationState | undefined): OperationState {
    if (operation === undefined && state?.phase === "Running") return state;
    const asked: Operation =
      operation === undefined || operation instanceof Refused ? { sync: { prune: false, syncOptions: [] }, initiatedBy: {}, retry: { limit: 0 } } : operation;
    const { retry } = (app["spec"] as { syncPolicy?: { retry?: Operation["retry"] } }).syncPolicy ?? {};
    const withRetry =
      asked.initiatedBy.automated === true || retry === undefined || asked.retry.limit !== 0
        ? asked
        : { ...asked, retry: { ...retry, limit: retry.limit ?? 0 } };
    return { operation: withRetry, phase: "Running", message: "", startedAt: this.kube.now() };
  }

  /** One step of the running operation. */
  async step(app: KubeObject, now: Seen, given: OperationState): Promise<OperationState> {
    const { namespace, name } = app.metadata;
    const wait = untilRetry(given, this.ctx.clock.now());
    if (wait !== undefined && wait > 0) {
      this.queue.after(wait, KIND, namespace, name);
      return given;
    }
    const { finishedAt: _, syncResult: former, ...rest } = given;
    const state: OperationState = wait === undefined ? given : { ...rest, message: `Retrying operation. Attempt #${given.retryCount ?? 1}` };
    const { sync } = state.operation;
    const results = wait === undefined ? (former?.resources ?? []) : [];
    const wanted = state.syncResult?.revision ?? sync.revision;
    const seen = wanted === undefined || wanted === now.revision ? now : await this.observer.attempt(() => this.observer.seen(app, now.spec, wanted, false));
    const fails = (message: string, phase: "Failed" | "Error"): OperationState => afterFailure({ ...state, phase, message }, this.kube.now());
    const next = (failed: OperationState): OperationState => {
      const again = untilRetry(failed, this.ctx.clock.now());
      if (again !== undefined) this.queue.after(again, KIND, namespace, name);
      else this.queue.add(KIND, namespace, name);
      return failed;
    };
    if (seen instanceof Refused) return next(fails(seen.messages.map((message) => `${seen.type}: ${message}`).join(";"), "Error"));
    const syncResult = { revision: seen.revision, source: seen.spec.source };
    if (!sync.syncOptions.includes("ServerSideApply=true"))
      return next(fails(this.observer.unmodelled.note(`not modelled by the lab: ${name}: a sync without the option ServerSideApply=true`), "Error"));
    if (sync.syncOptions.includes("FailOnSharedResource=true") && seen.compared.shared[0] !== undefined)
      return next(fails(`Shared resource found: ${seen.compared.shared[0]}`, "Failed"));
    const { client, project, compared, spec } = seen;
    const step = await this.observer.attempt(() =>
      new SyncStep({ client, project, sync, results, resources: compared.resources, hooks: compared.hooks, namespace: spec.destination.namespace }).run(),
    );
    if (step instanceof Refused) return next(fails(step.message, "Error"));
    const stepped: OperationState = { ...state, phase: step.phase, message: step.message, syncResult: { ...syncResult, resources: [...step.results] } };
    if (step.phase === "Succeeded") {
      this.queue.add(KIND, namespace, name);
      return { ...stepped, finishedAt: this.kube.now() };
    }
    if (step.phase !== "Running") return next(afterFailure(stepped, this.kube.now()));
    // After a step that changed something, look again at once. Otherwise a watch reports the change; other clusters are not watched, but polled.
    if (!same(results, step.results)) this.queue.add(KIND, namespace, name);
    else if (client.access.server !== OWN_CLUSTER) this.queue.after(ELSEWHERE_MS, KIND, namespace, name);
    return stepped;
  }

  /** Deployments, the newest last. A sync of single objects does not count. */
  history(app: KubeObject, state: OperationState | undefined, before: OperationState | undefined): { history?: JsonMap[] } {
    const history = listAt(app, "status", "history");
    const { syncResult, operation, finishedAt, startedAt } = state ?? {};
    if (state?.phase !== "Succeeded" || syncResult === undefined || operation === undefined || finishedAt === undefined) return {};
    if (operation.sync.resources !== undefined || (before?.finishedAt === finishedAt && before.startedAt === startedAt)) return {};
    const id = Number(history.at(-1)?.["id"] ?? -1) + 1;
    const { revision, source } = syncResult;
    const entry = {
      id,
      revision,
      source: { ...source },
      deployedAt: finishedAt,
      deployStartedAt: startedAt ?? finishedAt,
      initiatedBy: { ...operation.initiatedBy },
    };
    const limit = Number(at(app, "spec", "revisionHistoryLimit") ?? HISTORY);
    return { history: [...history, entry as unknown as JsonMap].slice(-limit) };
  }
}
