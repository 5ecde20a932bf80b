/**
 * One operation on a stack from beginning to end: optional refresh, the program with its registrations, deletions, stack
 * outputs. The parts do the work; this decides when each has its turn, and how the operation ends.
 */
import type { DeploymentRequest } from "../contracts";
import { DeploymentError, Halted, StepFailed } from "../errors";
import { Callbacks } from "../monitor/callbacks";
import { Hooks, requireNoDeleteHooks } from "../monitor/hooks";
import { PlanLedger } from "../plans/ledger";
import { Policies } from "../policies/policies";
import { runProgram } from "../program/program-host";
import type { ProgramEnd, RunningProgram } from "../program/running-program";
import { ProviderError } from "../providers/provider-error";
import type { ProviderRegistry } from "../providers/registry";
import { SnapshotManager } from "../snapshot/manager";
import { planDeletions } from "../steps/deletions";
import { Foresight } from "../steps/foresight";
import type { Step } from "../steps/step";
import type { DeploymentContext } from "./context";
import { deleteInOrder } from "./delete-order";
import { Ending } from "./ending";
import type { EventLog } from "./events";
import { StepExecutor } from "./executor";
import { refresh } from "./refresh";
import { Registrations } from "./registrations";
import { Settlement } from "./settlement";
import { requireKnown, Targets } from "./targets";

export class Operation {
  readonly ctx: DeploymentContext;
  /** What the program talks to. */
  readonly registrations: Registrations;
  readonly #executor: StepExecutor;
  readonly #ending: Ending;
  readonly #callbacks = new Callbacks();
  #program: RunningProgram | undefined;
  /** URNs that the run deletes at its end. */
  readonly #going = new Set<string>();

  constructor(
    private readonly request: DeploymentRequest,
    private readonly events: EventLog,
    registry: ProviderRegistry,
    private readonly preview: boolean,
    endpoint: { readonly address: string },
  ) {
    const state = new SnapshotManager(request.snapshot, preview ? undefined : request.journal);
    registry.secretsAreIn(() => {
      const { resources, pendingOperations } = state.snapshot();
      return [...resources, ...pendingOperations.map(({ resource }) => resource)].flatMap((r) => [r.inputs, r.outputs]);
    });
    this.#ending = new Ending(() => this.#executor.halt());
    this.ctx = {
      request,
      preview,
      registry,
      events,
      state,
      settlement: new Settlement(state),
      hooks: new Hooks(this.#callbacks, preview, (message, urn) => events.diagnostic("warning", message, urn)),
      policies: this.#policies(registry, endpoint),
      plan: new PlanLedger(request.plan, request.writePlan === true),
      foresight: new Foresight(() => this.ctx),
      targets: new Targets(request.options),
      base: request.snapshot.resources,
      now: () => new Date().toISOString(),
      newProviderInputs: (reference) => this.registrations.generator.providerInputs(reference),
      planningFailed: () => {
        this.#ending.failure = "update failed";
      },
      afterStepFailed: () => {
        this.#ending.failure = "update failed";
        if (!request.options.continueOnError) this.#ending.halt("update failed");
      },
    };
    this.#executor = new StepExecutor(this.ctx, request.options.parallel);
    this.registrations = new Registrations(this.ctx, this.#callbacks, this.#executor, this.#ending);
  }

  #policies(registry: ProviderRegistry, engine: { readonly address: string }): Policies {
    const { stack, project, config, policyPacks = [] } = this.request;
    return new Policies({
      packs: policyPacks,
      engine,
      stack: { stack, project: project.name, preview: this.preview, config: config.values, secretKeys: config.secretKeys },
      programDir: project.programDir,
      preview: this.preview,
      signal: this.request.signal,
      events: this.events,
      redact: (text, maps) => registry.redact(text, maps),
      onLog: (line, stream) => this.events.diagnostic(stream, line),
      failed: () => this.ctx.planningFailed(),
    });
  }

  async run(address: string): Promise<void> {
    const { kind, options } = this.request;
    const refreshOnly = kind === "refresh" || this.request.previewOf === "refresh";
    try {
      await this.ctx.policies.load();
      const byProgram = options.refreshByProgram === true;
      if (!byProgram && (refreshOnly || options.refresh)) await this.#refresh(refreshOnly);
      if (!byProgram && refreshOnly) return;
      this.#requireKnown(options.replaces);
      const destroy = kind === "destroy" || this.request.previewOf === "destroy";
      if (this.request.program !== undefined) await this.#runProgram(address);
      else requireNoDeleteHooks(this.ctx.base, (message, urn) => this.events.diagnostic("error", message, urn));
      const unknownTarget = destroy ? undefined : this.#unknownTarget();
      if (!this.#halted) await (refreshOnly ? this.#refreshRest() : this.#delete());
      if (unknownTarget !== undefined) this.#ending.failure = "silent";
      if (!destroy) this.registrations.settleStackOutputs(this.failure === undefined);
      if (this.failure === undefined) this.#requireAllSeen();
      if (!this.#halted && !destroy && !refreshOnly && this.failure !== "silent") await this.#judgeStack();
      await this.#endProgram();
    } catch (thrown) {
      if (!(thrown instanceof DeploymentError) && !(thrown instanceof ProviderError)) throw thrown;
      if (thrown.message !== "") this.events.diagnostic("error", thrown.message, thrown instanceof DeploymentError ? thrown.urn : undefined);
      this.#ending.failure ??= "silent";
    } finally {
      await this.#executor.idle();
      this.registrations.release();
      this.#program?.kill();
      this.#callbacks.close();
      await this.ctx.policies.close();
    }
  }

  /** In a destroy, the program only registers resources and hooks: nothing is created. */
  get #destroys(): boolean {
    return this.request.kind === "destroy" || this.request.previewOf === "destroy";
  }

  /** Whether a signal, or a failure that stops the run, has ended the operation before its deletions. */
  get #halted(): boolean {
    return this.#executor.halted;
  }

  get failure(): "update failed" | "silent" | "canceled" | undefined {
    return this.#ending.failure ?? (this.request.signal.aborted ? "canceled" : undefined);
  }

  async #refresh(counted: boolean): Promise<void> {
    try {
      await refresh(this.ctx, this.request.options.parallel, counted);
    } catch (thrown) {
      if (thrown instanceof DeploymentError && thrown.message === "") this.#ending.failure = "update failed";
      throw thrown;
    }
    this.ctx.base = this.ctx.state.snapshot().resources;
    this.ctx.targets = new Targets(this.request.options);
    this.registrations.restart();
    this.ctx.registry.remember(this.ctx.base);
  }

  /** After a refresh by the program: reads the resources that the program did not register. */
  async #refreshRest(): Promise<void> {
    const { generator } = this.registrations;
    try {
      await refresh(this.ctx, this.request.options.parallel, true, ({ urn }) => !generator.survives(urn));
    } catch (thrown) {
      if (!(thrown instanceof DeploymentError) || thrown.message !== "") throw thrown;
      this.#ending.failure = "update failed";
    }
  }

  #requireKnown(patterns: readonly string[]): void {
    const urns = new Set(this.ctx.base.map((r) => r.urn));
    requireKnown(
      patterns,
      (urn) => urns.has(urn) || this.registrations.arrived(urn),
      (message) => this.events.diagnostic("error", message),
    );
  }

  /**
   * A target may be a resource that the program has yet to register, so unknown targets are reported at the end. The known ones are
   * updated nevertheless.
   */
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

  /** Kills the program. The plugins are killed by the registry. */
  terminate(): void {
    this.#ending.halt("silent");
    this.#program?.kill();
    this.ctx.policies.kill();
  }

  async #runProgram(address: string): Promise<void> {
    const program = runProgram({
      request: this.request,
      preview: this.preview,
      address,
      onOutput: (line, stream) => this.events.diagnostic(stream, line, this.registrations.rootUrn),
    });
    this.#program = program;
    const { signalled } = this.registrations;
    const end = await Promise.race<ProgramEnd | "stopped" | "signalled">([program.end, this.#ending.stopped, this.#cancelled(), signalled]);
    await this.#executor.idle();
    if (end === "stopped") return program.kill();
    await this.registrations.planned();
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
    if (end.kind !== "done") this.#ending.halt("silent");
  }

  /** A program that waits for the end of the deployment gets its answer; its exit code counts too. */
  async #endProgram(): Promise<void> {
    this.registrations.release();
    if (this.#program === undefined) return;
    const end = await Promise.race<ProgramEnd | "stopped">([this.#program.end, this.#cancelled()]);
    if (typeof end === "object" && this.#ending.failure === undefined) this.#ended(end);
  }

  async #delete(): Promise<void> {
    const { resources } = this.ctx.state.snapshot();
    const { generator } = this.registrations;
    const { deletions, kept } = await planDeletions(this.ctx, resources, (urn) => !this.#destroys && generator.survives(urn));
    for (const { urn } of deletions) this.#going.add(urn);
    this.ctx.plan.steps([...kept, ...deletions]);
    const before = this.#executor.failures.length;
    const ok = (await this.#keep(kept)) && (await this.#deleteInOrder(deletions));
    // A step that a signal kept from starting is no failure.
    if (!ok && !(this.request.signal.aborted && this.#executor.failures.length === before)) this.#ending.failure = "update failed";
  }

  /** @returns whether all of them ran */
  async #keep(steps: readonly Step[]): Promise<boolean> {
    try {
      for (const step of steps) await this.#executor.run([step]);
      return true;
    } catch (thrown) {
      if (thrown instanceof Halted || thrown instanceof StepFailed) return false;
      throw thrown;
    }
  }

  #deleteInOrder(steps: readonly Step[]): Promise<boolean> {
    const failed = this.#executor.failures.flatMap((step) => step.old ?? []);
    const { continueOnError } = this.request.options;
    return deleteInOrder(steps, this.ctx.state.snapshot().resources, (step) => this.#executor.run([step]), { continueOnError, failed });
  }

  /** At the end, policies of the stack see all resources at once, unless a step has failed. */
  async #judgeStack(): Promise<void> {
    if (!this.ctx.policies.any || this.#executor.failures.length > 0) return;
    const { generator, rootUrn } = this.registrations;
    const { registered, aliased } = generator;
    // Resources that --target or --exclude leave alone are part of the stack, too.
    const left = this.ctx.base.filter(({ urn, delete: replaced }) => !replaced && !registered.has(urn) && !aliased.has(urn) && !this.#going.has(urn));
    const there = [...new Set([...registered.values(), ...left])].filter(({ urn }) => !generator.skipped(urn));
    const resources = there.map((state) => ({ state, provider: generator.providerState(state.provider) }));
    // A policy changes nothing, so a signal need not wait for it.
    await Promise.race([this.ctx.policies.judgeStack(rootUrn, resources), this.#cancelled()]);
  }

  #requireAllSeen(): void {
    const held = new Set(this.ctx.base.map(({ urn }) => urn));
    for (const urn of this.ctx.plan.unseen((other) => held.has(other))) {
      this.events.diagnostic("error", `expected resource operations for ${urn} but none were seen`, urn);
      this.#ending.failure ??= "silent";
    }
  }
}
