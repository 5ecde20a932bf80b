/**
 * Runs steps: limits how many run at once, keeps the order within a chain, and starts no new ones after a failure or a signal
 * (engine-contract F12, F13).
 */
import { expectedMessage, Halted, StepFailed, unexpectedMessage } from "../errors";
import { ProviderError } from "../providers/provider-error";
import { BrokenState } from "../snapshot/manager";
import type { Step } from "../steps/step";
import { applyStep } from "./apply";
import type { DeploymentContext } from "./context";

export class StepExecutor {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  readonly #idle: (() => void)[] = [];
  /** Steps that failed. */
  readonly failures: Step[] = [];
  #halted = false;

  constructor(
    private readonly ctx: DeploymentContext,
    parallel: number,
  ) {
    this.#free = parallel;
  }

  get halted(): boolean {
    return this.#halted || this.ctx.request.signal.aborted;
  }

  /** From now on no step starts; those that run finish. */
  halt(): void {
    this.#halted = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #slot(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.#free++;
  }

  /**
   * Runs a chain in order. Its slot is free for another chain when the last step has ended, even before its result is durable.
   * @throws Halted, StepFailed
   */
  async run(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return;
    await this.#slot();
    this.#active++;
    let holds = true;
    const release = (): void => {
      if (holds) this.#release();
      holds = false;
    };
    try {
      for (const step of steps) {
        if (this.halted) throw new Halted("the deployment is being stopped");
        await this.#one(step, step === steps.at(-1) ? release : undefined);
      }
    } finally {
      this.#active--;
      release();
      if (this.#active === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  async #one(step: Step, done?: () => void): Promise<void> {
    this.ctx.events.planned(step);
    try {
      await applyStep(this.ctx, step);
      this.ctx.plan.done(step);
      done?.();
      // Dependents and the program learn of the resource only after the state is on disk.
      if (step.op !== "same") await this.ctx.state.durable();
    } catch (thrown) {
      this.#report(step, thrown);
      this.failures.push(step);
      if (thrown instanceof BrokenState || (!this.ctx.request.options.continueOnError && !step.protected)) this.halt();
      throw thrown instanceof StepFailed ? thrown : new StepFailed(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #report(step: Step, thrown: unknown): void {
    if (thrown instanceof ProviderError) {
      const reasons = thrown.partial?.reasons.map((reason) => `\n\t* ${reason}`).join("") ?? "";
      this.ctx.events.stepError(step, `${thrown.message}${reasons}`, thrown.codes);
      // After Internal, DataLoss and Unknown nobody knows whether the call took effect; but a create that failed has made no object.
      const doubtful = [2, 13, 15].includes(thrown.code) && thrown.partial === undefined && step.op !== "create" && step.op !== "create-replacement";
      this.ctx.events.failed(step, thrown.partial !== undefined ? 1 : doubtful ? 2 : 0);
      return;
    }
    const expected = expectedMessage(thrown);
    if (expected !== undefined) {
      if (expected !== "") this.ctx.events.stepError(step, expected);
      this.ctx.events.failed(step, thrown instanceof StepFailed ? thrown.status : 0);
      return;
    }
    if (thrown instanceof BrokenState) {
      this.ctx.events.diagnostic("error", thrown.message, step.urn);
      this.ctx.events.failed(step, 2);
      return;
    }
    this.ctx.events.diagnostic("error", unexpectedMessage(thrown), step.urn);
    this.ctx.events.failed(step, 2);
  }

  /** Resolves when no chain runs. */
  async idle(): Promise<void> {
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
