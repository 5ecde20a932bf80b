/** Refuses what a run's plan does not allow, and records the plan of a preview. */
import { DeploymentError } from "../errors";
import type { Goal } from "../monitor/goal";
import type { ResourceState } from "../snapshot/types";
import type { Step } from "../steps/step";
import type { PropertyMap } from "../wire/values";
import { goalViolation, unchangedGoal } from "./constraint";
import { planDiffOf, violations } from "./difference";
import { goalPlan, isWithin, NO_DIFF, type Plan, type ResourcePlan } from "./plan";

export interface PlannedGoal {
  goal: Goal;
  /** undefined: the resource is new. */
  old: ResourceState | undefined;
  /** The new state does not continue `old`: the resource is replaced, or was only read until now. */
  fresh: boolean;
  /** The inputs after the provider's check. */
  inputs: PropertyMap;
  seed: Buffer;
}

export class PlanLedger {
  readonly #written: Map<string, ResourcePlan> | undefined;
  /** Steps that the plan still has, by URN; undefined: the run has no plan. */
  readonly #open: Map<string, Step["op"][]> | undefined;

  /** @param write whether to record a plan of this run */
  constructor(
    private readonly limit: Plan | undefined,
    write: boolean,
  ) {
    this.#written = write ? new Map() : undefined;
    this.#open = limit && new Map([...limit].map(([urn, { ops }]) => [urn, [...ops]]));
  }

  get written(): Plan | undefined {
    return this.#written;
  }

  /** The plan's seed for automatic names. */
  seed(urn: string): Buffer | undefined {
    return this.limit?.get(urn)?.seed;
  }

  /** @throws DeploymentError where the program asks for other than what was planned */
  goal({ goal, old, fresh, inputs, seed }: PlannedGoal): void {
    const { urn } = goal;
    const olds = fresh ? undefined : old?.inputs;
    if (this.#written !== undefined) {
      // A deletion before the replacement was recorded already.
      const ops = this.#written.get(urn)?.ops ?? [];
      this.#written.set(urn, { goal: goalPlan(goal, planDiffOf(olds, inputs)), ops, outputs: undefined, seed });
    }
    if (this.limit === undefined) return;
    const planned = this.limit.get(urn);
    // A new resource without a plan is refused when its step is checked.
    if (planned === undefined && old === undefined) return;
    const limit = planned === undefined ? old && unchangedGoal(old, goal) : planned.goal;
    const found = limit === undefined ? "resource unexpectedly not deleted" : goalViolation(limit, goal, olds ?? {}, inputs);
    if (found !== undefined) throw new DeploymentError(`resource ${urn} violates plan: ${found}`, urn);
  }

  /** @throws DeploymentError for a step that does more than what was planned */
  steps(steps: readonly Step[]): void {
    for (const { op, urn } of steps) {
      this.#allow(op, urn);
      if (this.#written === undefined) continue;
      const plan = this.#written.get(urn);
      if (plan !== undefined) plan.ops.push(op);
      else if (op !== "same") this.#written.set(urn, { goal: undefined, ops: [op], outputs: undefined, seed: undefined });
    }
  }

  #allow(op: Step["op"], urn: string): void {
    if (this.#open === undefined) return;
    const open = this.#open.get(urn);
    const refused = (why: string) => new DeploymentError(`${op} is not allowed by the plan: ${why}`, urn);
    if (open === undefined) {
      if (op !== "same") throw refused("no steps were expected for this resource");
      return;
    }
    const planned = open.shift();
    if (planned === undefined) throw refused("no more steps were expected for this resource");
    if (!isWithin(op, planned)) throw refused(`this resource is constrained to ${planned}`);
  }

  /** A step was carried out. */
  done({ new: state }: Step): void {
    const plan = state && this.#written?.get(state.urn);
    if (plan !== undefined) plan.outputs = state?.outputs;
  }

  /** @throws DeploymentError where a component, or the stack, has other outputs than what was planned */
  outputs(urn: string, olds: PropertyMap, outputs: PropertyMap): void {
    const planned = this.limit?.get(urn);
    const found = this.limit === undefined ? [] : violations(olds, outputs, planned?.goal?.outputDiff ?? NO_DIFF);
    if (found.length > 0) throw new DeploymentError(`resource violates plan: properties changed: ${found.join(", ")}`, urn);
    const plan = this.#written?.get(urn);
    if (plan?.goal === undefined) return;
    plan.goal.outputDiff = planDiffOf(olds, outputs);
    plan.outputs = outputs;
  }

  /** Resources whose planned steps were not carried out. A planned deletion does not count if the resource is no longer in the state. */
  unseen(held: (urn: string) => boolean): string[] {
    const left = [...(this.#open ?? [])].filter(([, ops]) => ops.length > 0);
    return left.filter(([urn, ops]) => !(ops.length === 1 && ops[0] === "delete" && !held(urn))).map(([urn]) => urn);
  }
}
