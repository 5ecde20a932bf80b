/** What the running program registers and reads: planned one at a time, in order, and carried out. */
import { CheckFailed, DeploymentError, Halted, StepFailed, StepSkipped } from "../errors";
import type { Callbacks } from "../monitor/callbacks";
import type { Goal, ReadGoal } from "../monitor/goal";
import type { MonitorBackend } from "../monitor/monitor-backend";
import { ProviderError } from "../providers/provider-error";
import { dependenciesOf, type ResourceState } from "../snapshot/types";
import { StepGenerator } from "../steps/generator";
import { makeStep, type Step } from "../steps/step";
import { makeUrn, STACK_TYPE } from "../wire/urn";
import { flattenOutputs, type PropertyMap, sameValue } from "../wire/values";
import { runAfterHooks } from "./apply";
import type { DeploymentContext } from "./context";
import type { Ending } from "./ending";
import type { StepExecutor } from "./executor";

const ENGINE_ERRORS = [DeploymentError, ProviderError, StepFailed];

/** Steps that a plan does not contain: the result of a read is known only after the read. */
const UNPLANNED: ReadonlySet<Step["op"]> = new Set(["import", "import-replacement", "read", "read-replacement", "refresh"]);

export class Registrations implements MonitorBackend {
  generator: StepGenerator;
  readonly rootUrn: string;
  readonly #steps = new Map<string, Step>();
  /** URNs whose registration has come, planned or not: a second one ends the run before the first is carried out. */
  readonly #arrived = new Set<string>();
  /** Resources whose steps were left out because something that they need failed. */
  readonly #skipped = new Set<string>();
  #planning: Promise<void> = Promise.resolve();
  #planned = 0;
  #checkFailed = false;
  #signalled: () => void = () => undefined;
  /** Resolves when the program has registered everything and waits for the deployment to end: its hooks are still needed. */
  readonly signalled = new Promise<"signalled">((resolve) => {
    this.#signalled = () => resolve("signalled");
  });
  #release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });
  #stackOutputs: PropertyMap | undefined;

  constructor(
    readonly ctx: DeploymentContext,
    readonly callbacks: Callbacks,
    private readonly executor: StepExecutor,
    private readonly ending: Ending,
  ) {
    const { project, stack } = ctx.request;
    this.generator = new StepGenerator(ctx);
    this.rootUrn = makeUrn(stack, project.name, undefined, STACK_TYPE, `${project.name}-${stack}`);
  }

  #arrive(urn: string): void {
    if (this.#arrived.has(urn)) throw new DeploymentError(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
    this.#arrived.add(urn);
  }

  async register(goal: Goal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    this.ctx.foresight.expect(goal);
    if (this.ctx.request.options.refreshByProgram) await this.#refresh(goal);
    const steps = await this.#plan(goal.urn, () => this.generator.register(goal));
    await this.#carryOut(goal.urn, steps);
    const imported = steps.find((step) => step.op === "import" || step.op === "import-replacement")?.new;
    // `pulumi import` takes what it reads as it is: there is no program yet to compare it with.
    if (imported !== undefined && this.ctx.request.program?.kind !== "imports")
      await this.#carryOut(goal.urn, await this.#plan(goal.urn, () => this.generator.afterImport(goal, imported)));
    return this.#state(goal.urn);
  }

  /** The existing resource is read before the engine decides what the registration means. */
  async #refresh(goal: Goal): Promise<void> {
    const steps = await this.#plan(goal.urn, async () => this.generator.refresh(goal));
    await this.#carryOut(goal.urn, steps);
    for (const step of steps) if (step.op === "refresh") this.generator.refreshed(goal.urn, step.new);
  }

  async read(goal: ReadGoal): Promise<ResourceState> {
    this.#arrive(goal.urn);
    await this.#carryOut(goal.urn, await this.#plan(goal.urn, () => this.generator.read(goal)));
    return this.#state(goal.urn);
  }

  formerUrn(urn: string): string | undefined {
    return this.generator.formerUrn(urn);
  }

  state(urn: string): ResourceState | undefined {
    return this.generator.registered.get(urn);
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
    if (urn === this.rootUrn) {
      // The root's outputs are settled at the end, when it is known whether the run succeeded.
      this.#stackOutputs = flat;
      return;
    }
    this.ctx.plan.outputs(urn, step.old?.outputs ?? {}, flat);
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
    this.ctx.events.finished({ ...step, new: now });
  }

  #setOutputs(state: ResourceState, outputs: PropertyMap): void {
    const next = { ...state, outputs };
    if (!this.ctx.state.holds(state) || sameValue(state.outputs, outputs)) return;
    this.generator.registered.set(state.urn, next);
    this.ctx.settlement.change(state, next);
  }

  /** A run that succeeded replaces the stack's outputs; one that failed only adds to them. */
  settleStackOutputs(succeeded: boolean): void {
    const urn = this.rootUrn;
    const root = this.state(urn);
    if (root === undefined || this.#stackOutputs === undefined) return;
    const step = this.#steps.get(urn) ?? makeStep("same", { urn, type: STACK_TYPE, old: root });
    const outputs = succeeded ? this.#stackOutputs : { ...root.outputs, ...this.#stackOutputs };
    this.ctx.plan.outputs(urn, step.old?.outputs ?? {}, outputs);
    this.#setOutputs(root, outputs);
    this.ctx.events.finished({ ...step, new: this.#state(urn) });
  }

  /** Begins anew, on a state that a refresh has changed. */
  restart(): void {
    this.generator = new StepGenerator(this.ctx);
  }

  arrived(urn: string): boolean {
    return this.#arrived.has(urn);
  }

  /** Resolves when nothing is being planned. */
  planned(): Promise<void> {
    return this.#planning;
  }

  /** The deployment has ended: a program that waits for it may end too. */
  release(): void {
    this.#release();
  }

  programDone(): Promise<void> {
    this.#signalled();
    return this.#released;
  }

  fail(error: DeploymentError): void {
    // A failure that comes from stopping the deployment is not reported as one of its own.
    if (this.executor.halted) return;
    if (error.message !== "") this.ctx.events.diagnostic("error", error.message, error.urn);
    this.ending.halt("silent");
  }

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
      if (this.executor.halted) throw new Halted("the deployment is being stopped");
      const steps = await make();
      if (!steps.some(({ op }) => UNPLANNED.has(op))) this.ctx.plan.steps(steps);
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
      if (this.#checkFailed && this.#planned === 0) this.ending.halt("silent");
    }
  }

  /** Whether a step would create a replacement although the deletion before it has failed: the state would forget the old object. */
  #wouldForget({ op, old, keepsOld, urn }: Step, steps: readonly Step[]): boolean {
    if (op !== "create-replacement" || old === undefined || keepsOld || this.ctx.preview) return false;
    const deletes = steps.some((step) => step.op === "delete-replaced" && step.urn === urn);
    return !deletes && !this.ctx.settlement.current(old).pendingReplacement;
  }

  /** With `--continue-on-error`, resources that depend on a failed one are skipped. */
  #withoutSkipped(urn: string, steps: readonly Step[]): readonly Step[] {
    const failed = new Set([...this.executor.failures.map((step) => step.urn), ...this.#skipped]);
    if (failed.size === 0) return steps;
    if (steps.some((step) => this.#wouldForget(step, steps))) {
      this.#skipped.add(urn);
      throw new StepSkipped(`${urn} could not be deleted before its replacement`);
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
      await this.executor.run(this.#withoutSkipped(urn, steps));
    } catch (thrown) {
      if (thrown instanceof StepFailed) {
        this.ending.failure = "update failed";
        if (!this.ctx.request.options.continueOnError) this.ending.halt("update failed");
      }
      throw thrown;
    }
  }
}
