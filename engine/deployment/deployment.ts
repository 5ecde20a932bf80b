/**
 * One deployment from beginning to end: optional refresh, the program with its registrations, deletions, stack outputs,
 * summary. The parts do the work; this decides when each has its turn, and how the deployment ends.
 */
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type { DeploymentRequest, DeploymentResult } from "../contracts";
import { DeploymentError, StepFailed } from "../errors";
import { engineService } from "../monitor/engine-service";
import type { Goal, ReadGoal } from "../monitor/goal";
import { type MonitorBackend, ResourceMonitor } from "../monitor/resource-monitor";
import { type ProgramEnd, runProgram } from "../program/program-host";
import { GRPC_OPTIONS, ProviderError } from "../providers/provider-client";
import { ProviderRegistry } from "../providers/registry";
import { checkIntegrity } from "../snapshot/integrity";
import { SnapshotManager } from "../snapshot/manager";
import type { ResourceState } from "../snapshot/types";
import { planDeletions, refuseUntargetedDependents } from "../steps/deletions";
import { StepGenerator } from "../steps/generator";
import { makeStep, type Step } from "../steps/step";
import { makeUrn, STACK_TYPE } from "../wire/urn";
import { flattenOutputs, type PropertyMap, sameValue } from "../wire/values";
import type { DeploymentContext } from "./context";
import { deleteInOrder } from "./delete-order";
import { EventLog } from "./events";
import { Halted, StepExecutor } from "./executor";
import { refresh } from "./refresh";
import { Targets } from "./targets";

/** How a deployment that failed is explained: `silent` where each cause was shown on its own resource already. */
type Failure = "update failed" | "silent";

class Deployment implements MonitorBackend {
  readonly ctx: DeploymentContext;
  readonly #events: EventLog;
  readonly #executor: StepExecutor;
  #generator: StepGenerator;
  readonly #steps = new Map<string, Step>();
  readonly #marked = new Map<ResourceState, ResourceState>();
  #planning: Promise<void> = Promise.resolve();
  #planned = 0;
  #stackOutputs: PropertyMap | undefined;
  #failure: Failure | undefined;
  #stop: () => void = () => undefined;
  readonly #stopped = new Promise<"stopped">((resolve) => {
    this.#stop = () => resolve("stopped");
  });

  constructor(
    private readonly request: DeploymentRequest,
    events: EventLog,
    registry: ProviderRegistry,
    private readonly preview: boolean,
  ) {
    const journal = preview ? { append: () => undefined } : request.journal;
    const state = new SnapshotManager(request.snapshot, journal);
    const current = (old: ResourceState): ResourceState => {
      const marked = this.#marked.get(old);
      return marked === undefined ? old : current(marked);
    };
    const mark = (old: ResourceState, change: Partial<ResourceState>, also: { ends?: number | undefined; add?: ResourceState }): void => {
      const now = current(old);
      const marked = { ...now, ...change };
      this.#marked.set(now, marked);
      state.settle({ ...also, put: [[now, marked]] });
    };
    this.#events = events;
    this.ctx = {
      request,
      preview,
      registry,
      events,
      state,
      targets: new Targets(request.options),
      base: request.snapshot.resources,
      now: () => new Date().toISOString(),
      newProviderInputs: (reference) => this.#generator.providerInputs(reference),
      current,
      replaceFirst: (old, add, ends) => mark(old, { delete: true }, { add, ends }),
      markPendingReplacement: (old, ends) => mark(old, { pendingReplacement: true }, { ends }),
      settleSame: (old, next, unchanged) => this.#settleSame(old, next, unchanged),
    };
    this.#executor = new StepExecutor(this.ctx, request.options.parallel);
    this.#generator = new StepGenerator(this.ctx);
  }

  /** An entry that stays what it was is moved in the state only in memory: the file changes where something in it does. */
  #settleSame(old: ResourceState, next: ResourceState, unchanged: boolean): void {
    this.ctx.state.settle({ add: next, over: this.ctx.current(old), lazy: unchanged });
  }

  // ---- what the monitor asks for

  /** URNs whose registration has come, planned or not: a second one ends the run before the first is carried out. */
  readonly #arrived = new Set<string>();

  #arrive(urn: string): void {
    if (this.#arrived.has(urn)) throw new DeploymentError(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
    this.#arrived.add(urn);
  }

  async register(goal: Goal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    const steps = await this.#plan(() => this.#generator.register(goal));
    await this.#carryOut(steps);
    const [first] = steps;
    if ((first?.op === "import" || first?.op === "import-replacement") && first.new !== undefined && !this.preview) {
      const imported = first.new;
      await this.#carryOut(await this.#plan(() => this.#generator.afterImport(goal, imported)));
    }
    return this.#state(goal.urn);
  }

  async read(goal: ReadGoal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    await this.#carryOut(await this.#plan(() => this.#generator.read(goal)));
    return this.#state(goal.urn);
  }

  formerUrn(urn: string): string | undefined {
    return this.#generator.formerUrn(urn);
  }

  state(urn: string): ResourceState | undefined {
    return this.#generator.registered.get(urn);
  }

  #state(urn: string): ResourceState {
    const state = this.state(urn);
    if (state === undefined) throw new Error(`${urn} was registered and has no state`);
    return state;
  }

  registerOutputs(urn: string, outputs: PropertyMap): void {
    const state = this.state(urn);
    const step = this.#steps.get(urn);
    if (state === undefined || step === undefined) throw new DeploymentError(`cannot complete a resource '${urn}' whose registration isn't pending`, urn);
    const flat = flattenOutputs(outputs);
    if (state.type === STACK_TYPE) {
      // The root's outputs are settled at the end, when it is known whether the run succeeded.
      this.#stackOutputs = flat;
      return;
    }
    this.#setOutputs(state, flat);
    this.#events.finished({ ...step, new: this.#state(urn) });
  }

  #setOutputs(state: ResourceState, outputs: PropertyMap): void {
    const next = { ...state, outputs };
    this.#generator.registered.set(state.urn, next);
    if (!this.ctx.state.holds(state)) return;
    if (sameValue(state.outputs, outputs)) this.#generator.registered.set(state.urn, state);
    else this.ctx.state.settle({ put: [[state, next]] });
  }

  programDone(): void {
    // Registrations are answered before the SDK says this; the end of the program itself is what counts.
  }

  fail(error: DeploymentError): void {
    if (error.message !== "") this.#events.diagnostic("error", error.message, error.urn);
    this.#halt("silent");
  }

  // ---- planning and carrying out

  /** Registrations are planned one at a time, in the order in which they came. */
  async #plan(make: () => Promise<Step[]>): Promise<Step[]> {
    const before = this.#planning;
    let done: () => void = () => undefined;
    this.#planning = new Promise((resolve) => {
      done = resolve;
    });
    this.#planned++;
    await before;
    try {
      if (this.#executor.halted) throw new Halted("the deployment is being stopped");
      const steps = await make();
      for (const step of steps) if (step.op !== "delete-replaced") this.#steps.set(step.urn, step);
      return steps;
    } catch (thrown) {
      if (thrown instanceof ProviderError) throw new DeploymentError(thrown.message);
      throw thrown;
    } finally {
      this.#planned--;
      done();
      if (this.#generator.checkFailures > 0 && this.#planned === 0 && !this.request.options.continueOnError) this.#halt("silent");
    }
  }

  async #carryOut(steps: readonly Step[]): Promise<void> {
    try {
      await this.#executor.run(steps);
    } catch (thrown) {
      if (thrown instanceof StepFailed) {
        this.#failure = "update failed";
        if (!this.request.options.continueOnError) this.#halt("update failed");
      }
      throw thrown;
    }
  }

  #halt(failure: Failure): void {
    this.#failure ??= failure;
    this.#executor.halt();
    this.#stop();
  }

  // ---- the phases

  async run(address: string): Promise<void> {
    const { kind, options } = this.request;
    const refreshOnly = kind === "refresh" || this.request.previewOf === "refresh";
    try {
      if (refreshOnly || options.refresh) await this.#refresh(refreshOnly);
      if (refreshOnly) return;
      const destroy = kind === "destroy" || this.request.previewOf === "destroy";
      if (destroy) {
        if (this.ctx.targets.limited) this.ctx.targets.requireKnown(this.ctx.base, new Set());
      } else await this.#runProgram(address);
      if (this.#failure === undefined || options.continueOnError) await this.#delete();
      if (!destroy) this.#settleStackOutputs();
    } catch (thrown) {
      if (!(thrown instanceof DeploymentError) && !(thrown instanceof ProviderError)) throw thrown;
      if (thrown.message !== "") this.#events.diagnostic("error", thrown.message, thrown instanceof DeploymentError ? thrown.urn : undefined);
      this.#failure = thrown.message === "" ? "update failed" : "silent";
    } finally {
      await this.#executor.idle();
    }
  }

  get failure(): Failure | "canceled" | undefined {
    if (this.request.signal.aborted) return "canceled";
    return this.#failure;
  }

  async #refresh(counted: boolean): Promise<void> {
    await refresh(this.ctx, this.request.options.parallel, counted);
    this.ctx.base = this.ctx.state.snapshot().resources;
    this.#generator = new StepGenerator(this.ctx);
    this.ctx.registry.remember(this.ctx.base);
  }

  async #runProgram(address: string): Promise<void> {
    this.ctx.targets.expand(this.ctx.base);
    const program = runProgram({
      request: this.request,
      preview: this.preview,
      address,
      onOutput: (line, stream) =>
        this.#events.diagnostic(
          stream,
          line,
          makeUrn(this.request.stack, this.request.project.name, undefined, STACK_TYPE, `${this.request.project.name}-${this.request.stack}`),
        ),
    });
    const cancelled = new Promise<"stopped">((resolve) => {
      if (this.request.signal.aborted) resolve("stopped");
      else this.request.signal.addEventListener("abort", () => resolve("stopped"), { once: true });
    });
    const end = await Promise.race<ProgramEnd | "stopped">([program.end, this.#stopped, cancelled]);
    await this.#executor.idle();
    program.kill();
    if (typeof end !== "object") return;
    await this.#planning;
    await this.#executor.idle();
    if (end.kind === "failed") this.#events.diagnostic("error", end.message);
    if (end.kind !== "done") this.#failure ??= "silent";
    if (this.#generator.checkFailures > 0) this.#failure ??= "silent";
    if (end.kind === "done") this.ctx.targets.requireKnown(this.ctx.base, new Set(this.#generator.registered.keys()));
  }

  async #delete(): Promise<void> {
    this.ctx.targets.expand(this.ctx.base);
    const { resources } = this.ctx.state.snapshot();
    // In the middle of a failed run only what nothing needs goes; what failed and what it stands on stays.
    const replaced = new Set(this.#generator.replacedFirst.map((old) => this.ctx.current(old)));
    const steps = planDeletions(this.ctx, resources, (state) => this.#generator.survives(state), replaced);
    await refuseUntargetedDependents(this.ctx, steps);
    const ok = await deleteInOrder(steps, resources, (step) => this.#executor.run([step]), this.request.options.continueOnError);
    if (!ok) this.#failure = "update failed";
    if (this.ctx.targets.limited && this.#arrived.size === 0) this.#showUntargeted();
  }

  /** A destruction with targets shows what it leaves as the same. */
  #showUntargeted(): void {
    for (const state of this.ctx.state.snapshot().resources) {
      const step = makeStep("same", { urn: state.urn, type: state.type, old: state, new: state, provider: state.provider });
      this.#events.planned(step);
      this.#events.finished(step);
      this.#events.count(step);
    }
  }

  /** A run that succeeded replaces the stack's outputs; one that failed only adds to them. */
  #settleStackOutputs(): void {
    const urn = makeUrn(this.request.stack, this.request.project.name, undefined, STACK_TYPE, `${this.request.project.name}-${this.request.stack}`);
    const root = this.state(urn);
    if (root === undefined || this.#stackOutputs === undefined) return;
    this.#setOutputs(root, this.#failure === undefined && !this.request.signal.aborted ? this.#stackOutputs : { ...root.outputs, ...this.#stackOutputs });
    const step = this.#steps.get(urn) ?? makeStep("same", { urn, type: STACK_TYPE, old: root });
    this.#events.finished({ ...step, new: this.#state(urn) });
  }
}

async function listen(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function prelude(request: DeploymentRequest): void {
  const secret = new Set(request.config.secretKeys);
  request.emit({
    preludeEvent: { config: Object.fromEntries(Object.entries(request.config.values).map(([key, value]) => [key, secret.has(key) ? "[secret]" : value])) },
  });
}

/** Runs one deployment. Failures of the program, of providers and of resources are events and `ok: false`; only bugs are thrown. */
export async function runDeployment(request: DeploymentRequest): Promise<DeploymentResult> {
  checkIntegrity(request.snapshot.resources, `stack ${request.stack}`);
  const preview = request.kind === "preview";
  const startedAt = Date.now();
  prelude(request);
  const events = new EventLog(request.emit, preview);
  warnOfPending(request, events);
  // What listens and what connects to it need each other: the address is filled in as soon as it is known.
  const endpoint = { address: "" };
  const registry = new ProviderRegistry(request, endpoint, (message, severity, urn) => events.diagnostic(severity, message, urn));
  registry.remember(request.snapshot.resources);
  const deployment = new Deployment(request, events, registry, preview);
  const server = new grpc.Server(GRPC_OPTIONS);
  server.addService(EngineService as unknown as grpc.ServiceDefinition, engineService(events));
  server.addService(ResourceMonitorService as unknown as grpc.ServiceDefinition, new ResourceMonitor(deployment).implementation());
  endpoint.address = `127.0.0.1:${await listen(server)}`;
  // The first signal reaches providers at once: what they do now they may end early.
  const onAbort = (): void => void registry.cancel();
  request.signal.addEventListener("abort", onAbort, { once: true });
  try {
    await deployment.run(endpoint.address);
  } finally {
    request.signal.removeEventListener("abort", onAbort);
    server.forceShutdown();
    await registry.close();
  }
  return close(request, events, deployment, startedAt);
}

function close(request: DeploymentRequest, events: EventLog, deployment: Deployment, startedAt: number): DeploymentResult {
  const { failure } = deployment;
  const verb = request.kind === "preview" ? "preview" : "update";
  if (failure === "update failed") events.diagnostic("error", `${verb} failed`);
  if (failure === "canceled") events.diagnostic("error", `${verb} canceled`);
  const ok = failure === undefined;
  const snapshot = request.kind === "preview" ? request.snapshot : deployment.ctx.state.snapshot();
  if (request.kind !== "preview") checkIntegrity(snapshot.resources, "the state after this run; this is a bug in the embedded engine");
  request.emit({
    summaryEvent: {
      maybeCorrupt: events.maybeCorrupt,
      durationSeconds: Math.round((Date.now() - startedAt) / 1000),
      resourceChanges: events.changes,
      PolicyPacks: {},
      isPreview: request.kind === "preview",
      result: ok ? "succeeded" : "failed",
    },
  });
  request.emit({ cancelEvent: {} });
  return { ok, changes: events.changes, snapshot, maybeCorrupt: events.maybeCorrupt };
}

function warnOfPending(request: DeploymentRequest, events: EventLog): void {
  const { pendingOperations } = request.snapshot;
  if (pendingOperations.length === 0) return;
  const lines = pendingOperations.map(({ resource, type }) => `  * ${resource.urn}, interrupted while ${type}`);
  events.diagnostic(
    "warning",
    `Attempting to deploy or update resources with ${pendingOperations.length} pending operations from previous deployment.\n${lines.join("\n")}\nThese resources are in an unknown state because the engine was interrupted while waiting for changes to complete. Look at them, then clear the note with \`pulumi refresh --clear-pending-creates\`.`,
  );
}
