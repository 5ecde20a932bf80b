/**
 * One operation on a stack from beginning to end: optional refresh, the program with its registrations, deletions, stack
 * outputs. The parts do the work; this decides when each has its turn, and how the operation ends.
 */
import type { DeploymentRequest } from "../contracts";
import { DeploymentError, StepFailed, StepSkipped } from "../errors";
import { Callbacks } from "../monitor/callbacks";
import type { Goal, ReadGoal } from "../monitor/goal";
import { Hooks, requireNoDeleteHooks } from "../monitor/hooks";
import type { MonitorBackend } from "../monitor/resource-monitor";
import { runProgram } from "../program/program-host";
import type { ProgramEnd, RunningProgram } from "../program/running-program";
import { ProviderError } from "../providers/provider-error";
import type { ProviderRegistry } from "../providers/registry";
import { SnapshotManager } from "../snapshot/manager";
import { dependenciesOf, type ResourceState } from "../snapshot/types";
import { CheckFailed } from "../steps/checking";
import { planDeletions } from "../steps/deletions";
import { StepGenerator } from "../steps/generator";
import { makeStep, type Step } from "../steps/step";
import { makeUrn, STACK_TYPE } from "../wire/urn";
import { flattenOutputs, type PropertyMap, sameValue } from "../wire/values";
import { runAfterHooks } from "./apply";
import type { DeploymentContext } from "./context";
import { deleteInOrder } from "./delete-order";
import type { EventLog } from "./events";
import { Halted, StepExecutor } from "./executor";
import { refresh } from "./refresh";
import { Settlement } from "./settlement";
import { requireKnown, Targets } from "./targets";

/** How an operation that failed is explained: `silent` where each cause was shown on its own resource already. */
export type Failure = "update failed" | "silent";

const ENGINE_ERRORS = [DeploymentError, ProviderError, StepFailed];

export class Operation implements MonitorBackend {
  readonly ctx: DeploymentContext;
  readonly #executor: StepExecutor;
  #generator: StepGenerator;
  readonly #steps = new Map<string, Step>();
  /** URNs whose registration has come, planned or not: a second one ends the run before the first is carried out. */
  readonly #arrived = new Set<string>();
  /** Resources whose steps were left out because something that they need failed. */
  readonly #skipped = new Set<string>();
  readonly #rootUrn: string;
  #planning: Promise<void> = Promise.resolve();
  #planned = 0;
  #checkFailed = false;
  #stackOutputs: PropertyMap | undefined;
  #failure: Failure | undefined;
  readonly callbacks = new Callbacks();
  #program: RunningProgram | undefined;
  /** The program has registered all that it will, and waits for the deployment to end: its hooks are still needed. */
  #signalled: () => void = () => undefined;
  readonly #programSignal = new Promise<"signalled">((resolve) => {
    this.#signalled = () => resolve("signalled");
  });
  #release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });
  #stop: () => void = () => undefined;
  readonly #stopped = new Promise<"stopped">((resolve) => {
    this.#stop = () => resolve("stopped");
  });

  constructor(
    private readonly request: DeploymentRequest,
    private readonly events: EventLog,
    registry: ProviderRegistry,
    private readonly preview: boolean,
  ) {
    const state = new SnapshotManager(request.snapshot, preview ? undefined : request.journal);
    registry.secretsAreIn(() => {
      const { resources, pendingOperations } = state.snapshot();
      return [...resources, ...pendingOperations.map(({ resource }) => resource)].flatMap((r) => [r.inputs, r.outputs]);
    });
    this.ctx = {
      request,
      preview,
      registry,
      events,
      state,
      settlement: new Settlement(state),
      hooks: new Hooks(this.callbacks, preview, (message, urn) => events.diagnostic("warning", message, urn)),
      targets: new Targets(request.options),
      base: request.snapshot.resources,
      now: () => new Date().toISOString(),
      newProviderInputs: (reference) => this.#generator.providerInputs(reference),
      planningFailed: () => {
        this.#failure = "update failed";
      },
      afterStepFailed: () => {
        this.#failure = "update failed";
        if (!request.options.continueOnError) this.#halt("update failed");
      },
    };
    this.#executor = new StepExecutor(this.ctx, request.options.parallel);
    this.#generator = new StepGenerator(this.ctx);
    this.#rootUrn = makeUrn(request.stack, request.project.name, undefined, STACK_TYPE, `${request.project.name}-${request.stack}`);
  }

  // ---- what the monitor asks for

  #arrive(urn: string): void {
    if (this.#arrived.has(urn)) throw new DeploymentError(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
    this.#arrived.add(urn);
  }

  async register(goal: Goal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    const steps = await this.#plan(goal.urn, () => this.#generator.register(goal));
    await this.#carryOut(goal.urn, steps);
    const imported = steps.find((step) => step.op === "import" || step.op === "import-replacement")?.new;
    // `pulumi import` takes what it reads as it is: there is no program yet to compare it with.
    if (imported !== undefined && this.request.program?.kind !== "imports")
      await this.#carryOut(goal.urn, await this.#plan(goal.urn, () => this.#generator.afterImport(goal, imported)));
    return this.#state(goal.urn);
  }

  async read(goal: ReadGoal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    await this.#carryOut(goal.urn, await this.#plan(goal.urn, () => this.#generator.read(goal)));
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

  async registerOutputs(urn: string, outputs: PropertyMap): Promise<void> {
    const state = this.state(urn);
    const step = this.#steps.get(urn);
    if (state === undefined || step === undefined) throw new DeploymentError(`cannot complete a resource '${urn}' whose registration isn't pending`, urn);
    if (step.skippedCreate) return;
    const flat = flattenOutputs(outputs);
    if (urn === this.#rootUrn) {
      // The root's outputs are settled at the end, when it is known whether the run succeeded.
      this.#stackOutputs = flat;
      return;
    }
    this.#setOutputs(state, flat);
    const now = this.#state(urn);
    if (!now.custom && step.op === "create")
      await runAfterHooks(this.ctx, "AfterCreate", { old: undefined, new: now, newInputs: now.inputs, newOutputs: now.outputs });
    if (!now.custom && step.op === "update" && step.old !== undefined) {
      const { old } = step;
      await runAfterHooks(this.ctx, "AfterUpdate", {
        old,
        new: now,
        newInputs: now.inputs,
        oldInputs: old.inputs,
        newOutputs: now.outputs,
        oldOutputs: old.outputs,
      });
    }
    this.events.finished({ ...step, new: now });
  }

  #setOutputs(state: ResourceState, outputs: PropertyMap): void {
    const next = { ...state, outputs };
    if (!this.ctx.state.holds(state) || sameValue(state.outputs, outputs)) return;
    this.#generator.registered.set(state.urn, next);
    this.ctx.settlement.change(state, next);
  }

  programDone(): Promise<void> {
    this.#signalled();
    return this.#released;
  }

  fail(error: DeploymentError): void {
    // What goes wrong because the deployment is being stopped is no failure of its own.
    if (this.#executor.halted) return;
    if (error.message !== "") this.events.diagnostic("error", error.message, error.urn);
    this.#halt("silent");
  }

  // ---- planning and carrying out

  /** Registrations are planned one at a time, in the order in which they came. */
  async #plan(urn: string, make: () => Promise<Step[]>): Promise<Step[]> {
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
      if (thrown instanceof CheckFailed) this.#checkFailed = true;
      // Whatever goes wrong while a registration is planned is shown on its resource.
      if (ENGINE_ERRORS.some((kind) => thrown instanceof kind) && thrown instanceof Error && !(thrown instanceof DeploymentError && thrown.urn !== undefined))
        throw new DeploymentError(thrown.message, urn);
      throw thrown;
    } finally {
      this.#planned--;
      done();
      if (this.#checkFailed && this.#planned === 0) this.#halt("silent");
    }
  }

  /** Whether a step would make anew what was to be deleted first, and was not: its deletion failed, and was shown. */
  #wouldForget({ op, old, keepsOld, urn }: Step, steps: readonly Step[]): boolean {
    if (op !== "create-replacement" || old === undefined || keepsOld || this.preview) return false;
    const deletes = steps.some((step) => step.op === "delete-replaced" && step.urn === urn);
    return !deletes && !this.ctx.settlement.current(old).pendingReplacement;
  }

  /** With `--continue-on-error`, what needs something that failed is left out. */
  #withoutSkipped(urn: string, steps: readonly Step[]): readonly Step[] {
    const failed = new Set([...this.#executor.failures.map((step) => step.urn), ...this.#skipped]);
    if (failed.size === 0) return steps;
    if (steps.some((step) => this.#wouldForget(step, steps))) {
      this.#skipped.add(urn);
      throw new StepSkipped(`${urn} could not be deleted to be made anew`);
    }
    const left = steps.filter((step) => {
      const state = step.new ?? step.old;
      if (state === undefined || ![...dependenciesOf(state)].some((need) => failed.has(need))) return true;
      failed.add(step.urn);
      this.#skipped.add(step.urn);
      return false;
    });
    if (this.#skipped.has(urn)) throw new StepSkipped(`${urn} needs something that failed`);
    return left;
  }

  async #carryOut(urn: string, steps: readonly Step[]): Promise<void> {
    try {
      await this.#executor.run(this.#withoutSkipped(urn, steps));
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
      this.#requireKnown(options.replaces);
      const destroy = kind === "destroy" || this.request.previewOf === "destroy";
      if (this.request.program !== undefined) await this.#runProgram(address);
      else requireNoDeleteHooks(this.ctx.base, (message, urn) => this.events.diagnostic("error", message, urn));
      const unknownTarget = destroy ? undefined : this.#unknownTarget();
      if (!this.#halted) await this.#delete();
      if (unknownTarget !== undefined) this.#failure = "silent";
      if (!destroy) this.#settleStackOutputs();
      await this.#endProgram();
    } catch (thrown) {
      if (!(thrown instanceof DeploymentError) && !(thrown instanceof ProviderError)) throw thrown;
      if (thrown.message !== "") this.events.diagnostic("error", thrown.message, thrown instanceof DeploymentError ? thrown.urn : undefined);
      this.#failure ??= "silent";
    } finally {
      await this.#executor.idle();
      this.#release();
      this.#program?.kill();
      this.callbacks.close();
    }
  }

  /** The program of a destruction only says what is there and brings its hooks. */
  get #destroys(): boolean {
    return this.request.kind === "destroy" || this.request.previewOf === "destroy";
  }

  /** Something ended the operation before its deletions: a failure that is not gone past, or a signal. */
  get #halted(): boolean {
    return this.#executor.halted;
  }

  get failure(): Failure | "canceled" | undefined {
    return this.#failure ?? (this.request.signal.aborted ? "canceled" : undefined);
  }

  async #refresh(counted: boolean): Promise<void> {
    try {
      await refresh(this.ctx, this.request.options.parallel, counted);
    } catch (thrown) {
      if (thrown instanceof DeploymentError && thrown.message === "") this.#failure = "update failed";
      throw thrown;
    }
    this.ctx.base = this.ctx.state.snapshot().resources;
    this.ctx.targets = new Targets(this.request.options);
    this.#generator = new StepGenerator(this.ctx);
    this.ctx.registry.remember(this.ctx.base);
  }

  #requireKnown(patterns: readonly string[]): void {
    const urns = new Set(this.ctx.base.map((r) => r.urn));
    requireKnown(
      patterns,
      (urn) => urns.has(urn) || this.#arrived.has(urn),
      (message) => this.events.diagnostic("error", message),
    );
  }

  /** Targets may be new: that one is unknown is only known when the program has ended. What is known is done all the same. */
  #unknownTarget(): DeploymentError | undefined {
    if (this.#halted) return undefined;
    try {
      this.#requireKnown(this.request.options.targets);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof DeploymentError) return thrown;
      throw thrown;
    }
  }

  /** Ends the program now; its plugins are killed by whoever has them. */
  terminate(): void {
    this.#halt("silent");
    this.#program?.kill();
  }

  async #runProgram(address: string): Promise<void> {
    const program = runProgram({
      request: this.request,
      preview: this.preview,
      address,
      onOutput: (line, stream) => this.events.diagnostic(stream, line, this.#rootUrn),
    });
    this.#program = program;
    const end = await Promise.race<ProgramEnd | "stopped" | "signalled">([program.end, this.#stopped, this.#cancelled(), this.#programSignal]);
    await this.#executor.idle();
    if (end === "stopped") return program.kill();
    await this.#planning;
    await this.#executor.idle();
    if (end === "signalled") return;
    this.#program = undefined;
    this.#ended(end);
  }

  #cancelled(): Promise<"stopped"> {
    return new Promise((resolve) => {
      if (this.request.signal.aborted) resolve("stopped");
      else this.request.signal.addEventListener("abort", () => resolve("stopped"), { once: true });
    });
  }

  #ended(end: ProgramEnd): void {
    if (end.kind === "failed") this.events.diagnostic("error", end.message);
    if (end.kind !== "done") this.#halt("silent");
  }

  /** A program that waits for the end of the deployment is told that it has come; how it then ends counts too. */
  async #endProgram(): Promise<void> {
    this.#release();
    if (this.#program === undefined) return;
    const end = await Promise.race<ProgramEnd | "stopped">([this.#program.end, this.#cancelled()]);
    if (typeof end === "object" && this.#failure === undefined) this.#ended(end);
  }

  async #delete(): Promise<void> {
    const { resources } = this.ctx.state.snapshot();
    const { deletions, kept } = await planDeletions(this.ctx, resources, (urn) => !this.#destroys && this.#generator.survives(urn));
    for (const step of kept) await this.#executor.run([step]);
    const current = this.ctx.state.snapshot().resources;
    const failed = this.#executor.failures.flatMap((step) => step.old ?? []);
    const ok = await deleteInOrder(deletions, current, (step) => this.#executor.run([step]), { continueOnError: this.request.options.continueOnError, failed });
    if (!ok) this.#failure = "update failed";
  }

  /** A run that succeeded replaces the stack's outputs; one that failed only adds to them. */
  #settleStackOutputs(): void {
    const urn = this.#rootUrn;
    const root = this.state(urn);
    if (root === undefined || this.#stackOutputs === undefined) return;
    this.#setOutputs(root, this.failure === undefined ? this.#stackOutputs : { ...root.outputs, ...this.#stackOutputs });
    const step = this.#steps.get(urn) ?? makeStep("same", { urn, type: STACK_TYPE, old: root });
    this.events.finished({ ...step, new: this.#state(urn) });
  }
}
