/** Plans what goes at the end of a run: what the program no longer registers, and what was replaced (engine-contract F9). */
import type { DeploymentContext } from "../deployment/context";
import { DeploymentError } from "../errors";
import { needsOf, type ResourceState } from "../snapshot/types";
import { isProviderType, urnName } from "../wire/urn";
import { dependentReplacements } from "./replacement";
import { isDefaultProvider, makeStep, type Step } from "./step";

function deleteStep(state: ResourceState, replaced: boolean, gone: ReadonlySet<string>, excludeProtected: boolean): Step | undefined {
  const facts = { urn: state.urn, type: state.type, old: state, provider: state.provider };
  if (state.pendingReplacement) return makeStep("remove-pending-replace", { ...facts, withoutProvider: true });
  if (state.external) return makeStep(replaced ? "discard-replaced" : "discard", { ...facts, withoutProvider: true });
  if (state.protect && excludeProtected && !replaced) return undefined;
  const withoutProvider =
    state.retainOnDelete || !state.custom || isProviderType(state.type) || (state.deletedWith !== undefined && gone.has(state.deletedWith));
  return makeStep(replaced ? "delete-replaced" : "delete", {
    ...facts,
    ...(withoutProvider ? { withoutProvider: true } : {}),
    ...(state.protect && !replaced ? { protected: true } : {}),
  });
}

/**
 * @param survives whether an entry that is not replaced lives on
 * @param replaced entries that were replaced in this run and wait for their deletion
 */
export function planDeletions(
  ctx: DeploymentContext,
  resources: readonly ResourceState[],
  survives: (state: ResourceState) => boolean,
  replaced: ReadonlySet<ResourceState>,
): Step[] {
  const isReplaced = (state: ResourceState): boolean => state.delete || replaced.has(state);
  const goes = (state: ResourceState): boolean => {
    if (isReplaced(state)) return true;
    if (survives(state)) return false;
    if (ctx.targets.limited) return ctx.targets.named(state.urn) && !isDefaultProvider(state.type, urnName(state.urn));
    return true;
  };
  const leaving = resources.filter(goes);
  const gone = new Set(leaving.map((state) => state.urn));
  return leaving.flatMap((state) => deleteStep(state, isReplaced(state), gone, ctx.request.options.excludeProtected) ?? []);
}

/** A targeted deletion must not leave anything behind that needs what goes. */
export async function refuseUntargetedDependents(ctx: DeploymentContext, steps: readonly Step[]): Promise<void> {
  if (!ctx.targets.limited) return;
  const going = new Set(steps.map((step) => step.urn));
  for (const { old } of steps) if (old !== undefined) await dependentReplacements(ctx, old);
  const left = ctx.base.filter((r) => !going.has(r.urn) && [...needsOf(r)].some((urn) => going.has(urn)));
  if (left.length === 0) return;
  for (const { urn } of left) {
    ctx.events.diagnostic(
      "error",
      `Resource '${urn}' depends on a resource that is to be destroyed but was not specified in --target list.\nEither include it in --target list or pass --target-dependents to proceed.`,
      urn,
    );
  }
  throw new DeploymentError("");
}
