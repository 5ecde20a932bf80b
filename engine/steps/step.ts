import type { DiffKind } from "../contracts";
import type { ResourceState } from "../snapshot/types";
import { urnName } from "../wire/urn";

export const STEP_OPS = [
  ...(["same", "create", "update", "delete", "replace", "create-replacement", "delete-replaced", "read", "read-replacement"] as const),
  ...(["import", "import-replacement", "refresh", "discard", "discard-replaced", "remove-pending-replace"] as const),
] as const;
export type StepOp = (typeof STEP_OPS)[number];

/** One planned change of one resource, as data: the generator makes it, the executor carries it out. */
export interface Step {
  op: StepOp;
  urn: string;
  type: string;
  old: ResourceState | undefined;
  new: ResourceState | undefined;
  /** Reference of the provider that does it; undefined where none is called. */
  provider: string | undefined;
  /** Input keys that force the replacement. */
  keys: string[];
  diffs: string[];
  detailedDiff: Record<string, { diffKind: DiffKind; inputDiff: boolean }> | undefined;
  ignoreChanges: string[];
  /** A registration that a target leaves out: shown, never stored. */
  skippedCreate?: boolean;
  /** The entry is removed from the state, and no provider is called. */
  withoutProvider?: boolean;
  /** Of delete-replaced in a delete-before-replace: the entry stays, marked as pending replacement. */
  keepsPending?: boolean;
  /** A limited operation leaves it alone: it is carried into the new state, and no provider is started for it. */
  untargeted?: boolean;
  /** It only moves an entry of the state: no event reports it. */
  unshown?: boolean;
  /** At the end of a run: an entry that is left alone keeps its place in the state. */
  keepsPlace?: boolean;
  /** Of a create-replacement: the old resource is still there, and is deleted at the end. */
  keepsOld?: boolean;
  /** Of a delete: the resource is protected, so the step fails when its turn comes. */
  protected?: boolean;
}

export function makeStep(op: StepOp, fields: Partial<Step> & Pick<Step, "urn" | "type">): Step {
  return { op, old: undefined, new: undefined, provider: undefined, keys: [], diffs: [], detailedDiff: undefined, ignoreChanges: [], ...fields };
}

/** Whether the step counts in the summary: a replacement has three steps and counts once. */
export const isLogical = (op: StepOp): boolean =>
  op !== "create-replacement" &&
  op !== "delete-replaced" &&
  op !== "discard-replaced" &&
  op !== "read-replacement" &&
  op !== "import-replacement" &&
  op !== "remove-pending-replace";

/** Steps of the engine itself: they are not counted, and their failures are not attributed to a resource. */
export const isInternal = (step: { op: string; type: string; urn: string }): boolean =>
  step.op === "remove-pending-replace" || isDefaultProvider(step.type, urnName(step.urn));

/** Made by the engine, and not by the program. */
export const isDefaultProvider = (type: string, name: string): boolean =>
  type.startsWith("pulumi:providers:") && (name === "default" || name.startsWith("default_"));
