/** A plan: what a preview found that an update would do, as a limit for the update (the file: plan-file.ts). */
import type { Goal, GoalAlias } from "../monitor/goal";
import type { StepOp } from "../steps/step";
import type { PropertyMap } from "../wire/values";

/** Top-level properties that change; added and updated ones with their new values. An unknown value stands for any value, and for none. */
export interface PlanDiff {
  adds: PropertyMap;
  deletes: string[];
  updates: PropertyMap;
}

/** What the program asked for; of the inputs, only how they differ from the state. */
export interface GoalPlan {
  type: string;
  name: string;
  custom: boolean;
  inputDiff: PlanDiff;
  /** The difference of the outputs that the program registers. */
  outputDiff: PlanDiff;
  parent: string | undefined;
  protect: boolean;
  dependencies: string[];
  provider: string | undefined;
  propertyDependencies: Record<string, string[]>;
  deleteBeforeReplace: boolean | undefined;
  ignoreChanges: string[];
  additionalSecretOutputs: string[];
  aliases: GoalAlias[];
  importId: string | undefined;
  customTimeouts: Record<string, number>;
}

export interface ResourcePlan {
  /** undefined: the resource is only deleted. */
  goal: GoalPlan | undefined;
  /** In the order in which they come. */
  ops: StepOp[];
  /** As the preview saw them: only for people. */
  outputs: PropertyMap | undefined;
  /** The seed for automatic names, so that the update makes the same names. */
  seed: Buffer | undefined;
}

/** By URN. */
export type Plan = ReadonlyMap<string, ResourcePlan>;

export const NO_DIFF: PlanDiff = { adds: {}, deletes: [], updates: {} };

export function goalPlan(goal: Goal, inputDiff: PlanDiff): GoalPlan {
  const { type, name, custom, parent, protect, dependencies, provider, propertyDependencies, deleteBeforeReplace, ignoreChanges, importId } = goal;
  return {
    ...{ type, name, custom, inputDiff, outputDiff: NO_DIFF, parent, protect, dependencies, provider, propertyDependencies, deleteBeforeReplace },
    ...{ ignoreChanges, additionalSecretOutputs: goal.additionalSecretOutputs, aliases: goal.givenAliases, importId },
    customTimeouts: goal.customTimeouts ?? {},
  };
}

/** A step may do less than was planned: nothing in place of an update, an update in place of a replacement. */
const LESS: Partial<Record<StepOp, readonly StepOp[]>> = {
  create: ["same"],
  update: ["same"],
  replace: ["same", "update"],
  "create-replacement": ["same", "update"],
  "delete-replaced": ["same", "update"],
};

export const isWithin = (op: StepOp, planned: StepOp): boolean => op === planned || LESS[planned]?.includes(op) === true;
