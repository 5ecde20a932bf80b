/** Argo CD's application controller: it compares each Application with Git, and syncs it on request or automatically. */
import { conditionOf, type Kube } from "../controllers/kube";
import type { WorkQueue } from "../controllers/queue";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { groupOf, type JsonMap, listAt, mapAt, same, textAt } from "../kubernetes/objects";
import { type Compared, resourceStatuses, trackedBy } from "./comparison";
import { Observer, Refused, type Seen } from "./observer";
import { afterFailure, automaticSync, untilRetry } from "./operation";
import { Operations } from "./operations";
import { type ApplicationSpec, ARGO_API, CASCADE, type Condition, type Operation, type OperationState, PREFIX } from "./schema";
import type { Unmodelled } from "./unmodelled";

const KIND = "Application";
const REFRESH = `${PREFIX}/refresh`;
/** How soon it looks again at objects that are being deleted. */
const AGAIN_MS = 200;

export class Applications {
  readonly #observer: Observer;
  readonly #operations: Operations;

  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly ctx: LabContext,
    private readonly home: () => string | undefined,
    unmodelled: Unmodelled,
  ) {
    this.#observer = new Observer(kube, ctx, home, unmodelled);
    this.#operations = new Operations(kube, queue, ctx, this.#observer);
    queue.on(KIND, (namespace, name) => this.#application(namespace, name));
  }

  stop(): void {
    this.#observer.stop();
  }

  resync(): void {
    for (const { metadata } of this.kube.all(ARGO_API, KIND, this.home())) this.queue.add(KIND, metadata.namespace, metadata.name);
  }

  /** An object changed: its Application is compared again, or all of them after a change of a project or of a cluster's Secret. */
  changed(object: KubeObject): void {
    const home = this.home();
    if (home === undefined) return;
    const app = trackedBy(object);
    if (app !== undefined) this.queue.add(KIND, home, app);
    if (object.kind === "AppProject" || (object.kind === "Secret" && object.metadata.labels?.[`${PREFIX}/secret-type`] !== undefined)) this.resync();
  }

  async #application(namespace: string | undefined, name: string): Promise<void> {
    const app = this.kube.find(ARGO_API, KIND, namespace, name);
    if (app === undefined || namespace === undefined || namespace !== this.home()) {
      this.#observer.forget(name);
      return;
    }
    if (app.metadata.deletionTimestamp !== undefined) {
      await this.#goes(app);
      return;
    }
    const asked = app.metadata.annotations?.[REFRESH] !== undefined;
    const pollMs = this.ctx.latency.of("argo-cd.poll");
    if (pollMs > 0) this.queue.after(pollMs, KIND, namespace, name);
    const spec = await this.#observer.attempt(() => this.#observer.spec(app));
    const seen = spec instanceof Refused ? spec : await this.#observer.attempt(() => this.#observer.seen(app, spec, undefined, asked));
    const next = seen instanceof Refused ? await this.#refusedStatus(app, spec, seen) : await this.#status(app, seen);
    this.#write(app, next, asked);
  }

  async #refusedStatus(app: KubeObject, spec: ApplicationSpec | Refused, refused: Refused): Promise<Next> {
    const conditions = refused.messages.map((message) => ({ type: refused.type, message }));
    const status = mapAt(app, "status");
    const state = this.#operations.state(app);
    const operation = this.#operations.asked(app);
    const now = this.ctx.clock.now();
    const isIdle = operation === undefined && state?.phase !== "Running";
    // It has failed already, and its next attempt is not due.
    const waits = operation === undefined && state !== undefined && (untilRetry(state, now) ?? 0) > 0;
    const message = conditions.map((each) => `${each.type}: ${each.message}`).join(";");
    const failed = (): OperationState => afterFailure({ ...this.#operations.begun(app, operation, state), phase: "Error", message }, this.kube.now());
    const ended = isIdle || waits ? state : failed();
    if (ended?.phase === "Running") this.queue.after(untilRetry(ended, now) ?? 0, KIND, app.metadata.namespace, app.metadata.name);
    return {
      conditions,
      status: {
        ...status,
        sync: { ...mapAt(status, "sync"), status: "Unknown", ...(spec instanceof Refused ? {} : { comparedTo: comparedTo(spec) }) },
        health: { status: textAt(status, "health", "status") ?? "Unknown" },
        ...(ended === undefined ? {} : { operationState: ended as unknown as JsonMap }),
      },
    };
  }

  async #status(app: KubeObject, seen: Seen): Promise<Next> {
    const { spec, revision, compared, sourceType } = seen;
    const asked = this.#operations.asked(app);
    if (asked instanceof Refused) return this.#refusedStatus(app, spec, asked);
    const before = this.#operations.state(app);
    const inProgress = asked !== undefined || before?.phase === "Running";
    const state = inProgress ? await this.#operations.step(app, seen, this.#operations.begun(app, asked, before)) : before;
    const conditions: Condition[] = compared.shared.map((message) => ({ type: "SharedResourceWarning", message }));
    let operation: Operation | undefined;
    if (!inProgress) {
      const automatic = automaticSync({ spec, revision, resources: outline(compared), state, now: this.ctx.clock.now() });
      if (automatic !== undefined && "condition" in automatic) conditions.push(automatic.condition);
      if (automatic !== undefined && "afterMs" in automatic) this.queue.after(automatic.afterMs, KIND, app.metadata.namespace, app.metadata.name);
      if (automatic !== undefined && "operation" in automatic) ({ operation } = automatic);
    }
    const synced = compared.resources.every(({ synced }) => synced);
    return {
      conditions,
      ...(operation === undefined ? {} : { operation }),
      status: {
        ...mapAt(app, "status"),
        sync: { status: synced ? "Synced" : "OutOfSync", revision, comparedTo: comparedTo(spec) },
        health: { status: compared.health },
        resources: resourceStatuses(compared) as unknown as JsonMap[],
        sourceType,
        summary: { images: imagesOf(compared) },
        controllerNamespace: this.home() ?? "",
        resourceHealthSource: "appTree",
        ...(state === undefined ? {} : { operationState: state as unknown as JsonMap }),
        ...this.#operations.history(app, state, before),
      },
    };
  }

  #write(app: KubeObject, { status, conditions, operation }: Next, asked: boolean): void {
    const since = (type: string, message: string): string => {
      const known = listAt(app, "status", "conditions").find((one) => one["type"] === type && one["message"] === message);
      return textAt(known, "lastTransitionTime") ?? this.kube.now();
    };
    const listed = conditions.map((each) => ({ ...each, lastTransitionTime: since(each.type, each.message) }));
    const { conditions: _, ...rest } = status;
    this.kube.modify(app, (current) => {
      const { operation: former, ...kept } = current;
      const annotations = { ...current.metadata.annotations };
      if (asked) delete annotations[REFRESH];
      const isTaken = same(former, app["operation"]);
      const left = isTaken ? operation : former;
      const next = { ...rest, ...(listed.length === 0 ? {} : { conditions: listed as unknown as JsonMap[] }) };
      const changed = asked || !same(next, { ...mapAt(current, "status"), reconciledAt: undefined });
      const { annotations: _annotations, ...metadata } = current.metadata;
      return {
        ...kept,
        metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
        ...(left === undefined ? {} : { operation: left }),
        status: { ...next, reconciledAt: changed ? this.kube.now() : (textAt(current, "status", "reconciledAt") ?? this.kube.now()) },
      };
    });
  }

  /** A deleted Application with the finalizer: its objects are deleted first. */
  async #goes(app: KubeObject): Promise<void> {
    const { finalizers = [] } = app.metadata;
    if (!finalizers.includes(CASCADE)) return;
    const spec = await this.#observer.attempt(() => this.#observer.spec(app));
    const left = spec instanceof Refused ? spec : await this.#observer.attempt(() => this.#observer.removeAll(app, spec));
    if (left instanceof Refused) {
      const message = left.messages.join("; ");
      const known = conditionOf(app, "DeletionError");
      if (textAt(known, "message") === message) return;
      this.kube.modify(app, (current) => ({
        ...current,
        status: { ...mapAt(current, "status"), conditions: [{ type: "DeletionError", message, lastTransitionTime: this.kube.now() }] },
      }));
      return;
    }
    if (left > 0) {
      this.queue.after(AGAIN_MS, KIND, app.metadata.namespace, app.metadata.name);
      return;
    }
    this.kube.modify(app, (current) => ({ ...current, metadata: { ...current.metadata, finalizers: finalizers.filter((each) => each !== CASCADE) } }));
  }
}

interface Next {
  readonly status: JsonMap;
  readonly conditions: readonly Condition[];
  /** One that Argo CD begins automatically. */
  readonly operation?: Operation;
}

const comparedTo = ({ source, destination }: ApplicationSpec): JsonMap => ({ source: { ...source }, destination: { ...destination } }) as unknown as JsonMap;

const outline = ({ resources }: Compared) =>
  resources.flatMap(({ target, live, synced }) => {
    const object = target ?? live;
    return object === undefined ? [] : [{ group: groupOf(object), kind: object.kind, name: object.metadata.name, synced, prune: target === undefined }];
  });

const imagesOf = ({ resources }: Compared): string[] =>
  [...new Set(resources.flatMap(({ live }) => listAt(live, "spec", "template", "spec", "containers").map(({ image }) => String(image))))].toSorted();
