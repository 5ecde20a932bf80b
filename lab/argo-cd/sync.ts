/**
 * One step of a sync, as Argo CD takes them: it looks at what runs, and begins the next wave where everything before it is done
 * (gitops-engine/pkg/sync/sync_context.go of v3.4). The results record what was done, so any step may be the first one after a restart.
 */
import type { KubeObject } from "../kubernetes";
import { groupOf } from "../kubernetes/objects";
import { ApiError, type ClusterClient } from "./cluster-client";
import { healthOf } from "./health";
import { type Project, refusedKind } from "./project";
import type { Operation, OperationPhase, ResourceResult, SyncPhase } from "./schema";
import { compareTasks, deletePoliciesOf, emptyResult, objectOf, orderPruned, resultKey, type Task, waveOf } from "./tasks";

/** An object as Git has it, as the cluster has it, or both. */
export interface Managed {
  readonly target: KubeObject | undefined;
  readonly live: KubeObject | undefined;
}

export interface SyncInput {
  readonly client: ClusterClient;
  readonly project: Project;
  readonly sync: Operation["sync"];
  /** Results of the earlier steps. */
  readonly results: readonly ResourceResult[];
  readonly resources: readonly Managed[];
  readonly hooks: readonly (Managed & { readonly phase: SyncPhase })[];
  readonly namespace: string | undefined;
}

export interface StepOutcome {
  readonly phase: OperationPhase;
  readonly message: string;
  readonly results: readonly ResourceResult[];
}

const running = ({ result }: Task): boolean => result.hookPhase === "Running";
const done = ({ result }: Task): boolean => result.hookPhase !== undefined && result.hookPhase !== "Running";
/** Not begun yet. After the dry run a result may have a status, but still no phase. */
const pending = ({ result }: Task): boolean => result.hookPhase === undefined;
const failed = (task: Task): boolean => done(task) && task.result.hookPhase !== "Succeeded";
const reason = (thrown: unknown): string => {
  if (thrown instanceof ApiError) return thrown.message;
  throw thrown;
};

export class SyncStep {
  readonly #tasks: Task[] = [];

  constructor(private readonly input: SyncInput) {}

  async run(): Promise<StepOutcome> {
    await this.#collect();
    const refused = await this.#refused();
    if (refused) return this.#ends("Failed", "one or more synchronization tasks are not valid");
    if (!this.#tasks.some((task) => !pending(task))) {
      const problem = await this.#rehearse();
      if (problem !== undefined) return this.#ends("Failed", problem);
    }
    this.#look();
    const waits = this.#waits();
    if (waits !== undefined) return this.#ends("Running", waits);
    if (this.#tasks.some(failed)) {
      await this.#removeHooks("HookFailed");
      return this.#ends("Failed", this.#whyFailed("one or more synchronization tasks completed unsuccessfully"));
    }
    return this.#next();
  }

  /** Collects every object with its place in the order and its result of the earlier steps. */
  async #collect(): Promise<void> {
    const { sync, resources, hooks, client, namespace } = this.input;
    const known = new Map(this.input.results.map((result) => [resultKey(result), result]));
    const add = (phase: SyncPhase, hook: boolean, managed: Managed): void => {
      const object = objectOf(managed);
      const empty = emptyResult(object, phase, hook);
      this.#tasks.push({ phase, hook, ...managed, wave: waveOf(object), result: { ...(known.get(resultKey(empty)) ?? empty) } });
    };
    const only = sync.resources;
    const isWanted = (object: KubeObject): boolean =>
      only === undefined || only.some((each) => each.group === groupOf(object) && each.kind === object.kind && each.name === object.metadata.name);
    for (const managed of resources) if (isWanted(objectOf(managed))) add("Sync", false, managed);
    if (only === undefined && sync.syncStrategy?.apply === undefined) for (const { phase, ...hook } of hooks) add(phase, true, hook);
    if (sync.syncOptions.includes("CreateNamespace=true") && namespace !== undefined && !resources.some(({ target }) => isNamespace(target, namespace))) {
      const target: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
      // An existing namespace is left alone.
      if ((await client.find("v1", "Namespace", undefined, namespace)) === undefined || known.has(resultKey(emptyResult(target, "PreSync", false))))
        add("PreSync", false, { target, live: undefined });
    }
    orderPruned(this.#tasks, sync.syncOptions.includes("PruneLast=true"));
    this.#tasks.sort(compareTasks);
  }

  /** Whether the project forbids one of them, or the cluster does not know its kind. */
  async #refused(): Promise<boolean> {
    const { client, project } = this.input;
    for (const task of this.#tasks) {
      const { apiVersion, kind, metadata } = objectOf(task);
      const resource = await client.resource(apiVersion, kind);
      const group = groupOf({ apiVersion });
      const why =
        resource === undefined
          ? `The Kubernetes API could not find ${group}/${kind} for requested resource ${metadata.namespace}/${metadata.name}. Make sure the "${kind}" CRD is installed on the destination cluster.`
          : refusedKind(project, { group, kind, name: metadata.name, namespace: resource.namespaced ? metadata.namespace : undefined }, client.access);
      if (why !== undefined) task.result = { ...task.result, status: "SyncFailed", message: why };
    }
    return this.#tasks.some(({ result }) => result.status === "SyncFailed" && result.hookPhase === undefined);
  }

  /** Makes the namespace, and applies everything else as a dry run. @returns why the sync does not begin */
  async #rehearse(): Promise<string | undefined> {
    const namespaceTask = this.#tasks.find(({ phase, hook, target }) => phase === "PreSync" && !hook && isNamespace(target, this.input.namespace ?? ""));
    if (namespaceTask !== undefined) {
      await this.#apply(namespaceTask);
      if (failed(namespaceTask)) return "the namespace failed to apply";
    }
    for (const task of this.#tasks) {
      if (task === namespaceTask || task.target === undefined || (task.hook && task.live !== undefined)) continue;
      try {
        await this.input.client.apply(task.target, { dryRun: true });
      } catch (thrown) {
        task.result = { ...task.result, status: "SyncFailed", message: reason(thrown) };
      }
    }
    return this.#tasks.some(({ result }) => result.status === "SyncFailed") ? "one or more objects failed to apply (dry run)" : undefined;
  }

  /** Sets the results of running tasks by the health of their objects. */
  #look(): void {
    for (const task of this.#tasks.filter(running)) {
      if (task.live === undefined || task.target === undefined) continue;
      const health = healthOf(task.live);
      const { result } = task;
      if (health === undefined || health.status === "Healthy") task.result = { ...result, hookPhase: "Succeeded", ...saying(health?.message) };
      else if (health.status === "Degraded") task.result = { ...result, hookPhase: "Failed", ...saying(health.message) };
      else if (health.message !== undefined) task.result = { ...result, ...saying(health.message) };
    }
  }

  /** What the next step waits for; undefined: nothing. A sync with a single wave does not wait for the objects that it applied. */
  #waits(): string | undefined {
    const [first, last] = [this.#tasks[0], this.#tasks.at(-1)];
    const severalSteps = first !== undefined && last !== undefined && (first.phase !== last.phase || first.wave !== last.wave);
    const waiting = this.#tasks.filter((task) => running(task) && (severalSteps || task.hook));
    for (const task of waiting) {
      if (task.live !== undefined) continue;
      const { group, kind, name } = task.result;
      task.result = {
        ...task.result,
        status: "SyncFailed",
        hookPhase: "Error",
        message: `Resource ${group}/${kind}/${name} is missing, it might have been deleted`,
      };
    }
    const still = waiting.filter(running);
    const going = this.#tasks.filter(({ result, live }) => result.status === "Pruned" && live !== undefined);
    if (still.length > 0) return waitingFor(still, still.some(({ hook }) => hook) ? "completion of hook" : "healthy state of");
    return going.length > 0 ? waitingFor(going, "deletion of") : undefined;
  }

  async #next(): Promise<StepOutcome> {
    const left = this.#tasks.filter(pending);
    const [first] = left;
    if (first === undefined) return this.#succeeds("successfully synced (no more tasks)");
    const wave = left.filter(({ phase, wave }) => phase === first.phase && wave === first.wave);
    const state = await this.#begin(wave);
    if (state === "deleting") return this.#ends("Running", waitingFor(wave, "deletion of hook"));
    if (wave.some(failed)) {
      await this.#removeHooks("HookFailed");
      return this.#ends("Failed", this.#whyFailed("one or more objects failed to apply"));
    }
    const isLast = wave.length === left.length && !wave.some(({ hook }) => hook);
    // Even if the applied objects do not become healthy.
    return isLast ? this.#succeeds("successfully synced (all tasks run)") : this.#ends("Running", waitingFor(wave, "completion of"));
  }

  async #begin(wave: readonly Task[]): Promise<"begun" | "deleting"> {
    const { client, sync } = this.input;
    for (const task of wave.filter(({ target }) => target === undefined)) {
      if (!sync.prune) {
        task.result = { ...task.result, status: "PruneSkipped", hookPhase: "Succeeded", message: "ignored (requires pruning)" };
        continue;
      }
      try {
        await client.remove(objectOf(task));
        task.result = { ...task.result, status: "Pruned", hookPhase: "Succeeded", message: "pruned" };
      } catch (thrown) {
        task.result = { ...task.result, status: "SyncFailed", hookPhase: "Failed", message: reason(thrown) };
      }
    }
    const former = wave.filter(
      ({ hook, live, target }) => hook && live !== undefined && target !== undefined && deletePoliciesOf(target).includes("BeforeHookCreation"),
    );
    for (const { live } of former) if (live !== undefined && live.metadata.deletionTimestamp === undefined) await client.remove(live);
    if (former.length > 0) return "deleting";
    for (const task of wave) if (task.target !== undefined && pending(task)) await this.#apply(task);
    return "begun";
  }

  async #apply(task: Task): Promise<void> {
    if (task.target === undefined) return;
    try {
      task.live = await this.input.client.apply(task.target);
      const { kind, metadata } = task.target;
      task.result = { ...task.result, status: "Synced", hookPhase: "Running", message: `${kind.toLowerCase()}/${metadata.name} serverside-applied` };
    } catch (thrown) {
      task.result = { ...task.result, status: "SyncFailed", hookPhase: "Failed", message: reason(thrown) };
    }
  }

  async #removeHooks(policy: "HookSucceeded" | "HookFailed"): Promise<void> {
    for (const { hook, live, target, result } of this.#tasks)
      if (hook && live !== undefined && target !== undefined && result.hookPhase !== undefined && deletePoliciesOf(target).includes(policy))
        await this.input.client.remove(live);
  }

  async #succeeds(message: string): Promise<StepOutcome> {
    await this.#removeHooks("HookSucceeded");
    return this.#ends("Succeeded", message);
  }

  #whyFailed(message: string): string {
    const why = this.#tasks.filter(({ result }) => result.status === "SyncFailed").map(({ result }) => result.message);
    return why.length === 0 ? message : `${message}, reason: ${why.join(",")}`;
  }

  #ends(phase: OperationPhase, message: string): StepOutcome {
    const said = this.#tasks.map(({ result }) => result).filter(({ status, hookPhase }) => status !== undefined || hookPhase !== undefined);
    return { phase, message, results: said };
  }
}

const saying = (message: string | undefined): { message?: string } => (message === undefined || message === "" ? {} : { message });

const isNamespace = (object: KubeObject | undefined, name: string): boolean =>
  object?.apiVersion === "v1" && object.kind === "Namespace" && object.metadata.name === name;

function waitingFor(tasks: readonly Task[], what: string): string {
  const [first] = tasks;
  if (first === undefined) return "one or more tasks are running";
  const { group, kind, name } = first.result;
  return `waiting for ${what} ${group}/${kind}/${name}${tasks.length > 1 ? ` and ${tasks.length - 1} more` : ""}`;
}
