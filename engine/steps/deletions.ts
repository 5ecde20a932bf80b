/** Plans the deletions at the end of a run: resources that the program no longer registers, and replaced ones (engine-contract F9). */
import type { DeploymentContext } from "../deployment/context";
import { DeploymentError } from "../errors";
import { referenceOf } from "../snapshot/integrity";
import { dependenciesOf, needsOf, type ResourceState } from "../snapshot/types";
import { isProviderType } from "../wire/urn";
import { dependentReplacements } from "./replacement";
import { makeStep, type Step } from "./step";

function deleteStep(state: ResourceState, gone: ReadonlySet<string>): Step {
  const facts = { urn: state.urn, type: state.type, old: state, provider: state.provider };
  if (state.pendingReplacement && !state.delete) return makeStep("remove-pending-replace", { ...facts, withoutProvider: true });
  if (state.external) return makeStep(state.delete ? "discard-replaced" : "discard", { ...facts, withoutProvider: true });
  // A resource that was deleted before its replacement is not deleted again: its new provider may have another object of the same name.
  const withoutProvider =
    state.pendingReplacement ||
    state.retainOnDelete ||
    !state.custom ||
    isProviderType(state.type) ||
    (state.deletedWith !== undefined && gone.has(state.deletedWith));
  return makeStep(state.delete ? "delete-replaced" : "delete", { ...facts, withoutProvider, protected: state.protect && !state.delete });
}

/** The named resources with everything that depends on them, children too. */
function withDependents(resources: readonly ResourceState[], named: (urn: string) => boolean): Set<string> {
  const found = new Set<string>();
  for (const r of resources) if (named(r.urn) || [...needsOf(r)].some((urn) => found.has(urn))) found.add(r.urn);
  return found;
}

/** Resources that `--exclude` keeps: those that the excluded ones depend on and, by flag, their dependents. */
function withNeeds(ctx: DeploymentContext, resources: readonly ResourceState[], excluded: (urn: string) => boolean): Set<string> {
  const found = new Set(resources.filter((r) => excluded(r.urn)).map((r) => r.urn));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const r of [...resources].reverse()) if (found.has(r.urn)) for (const urn of needsOf(r)) found.add(urn);
    if (ctx.request.options.excludeDependents) for (const urn of withDependents(resources, (other) => found.has(other))) found.add(urn);
  }
  return found;
}

/** Protected resources, and those that they depend on. */
function protectedOnes(ctx: DeploymentContext, resources: readonly ResourceState[]): Set<string> {
  const found = new Set<string>();
  for (const r of [...resources].reverse())
    if (r.protect || found.has(r.urn)) {
      found.add(r.urn);
      for (const urn of dependenciesOf(r)) found.add(urn);
      for (const urn of needsOf(r)) found.add(urn);
    }
  return ctx.request.options.excludeProtected ? found : new Set();
}

/** The entries to delete, without those that a remaining entry needs, such as the old provider of a resource that a limited operation left alone. */
function withoutNeeded(resources: readonly ResourceState[], leaving: readonly ResourceState[]): ResourceState[] {
  const going = new Set(leaving);
  const left = new Set(resources.filter((r) => !going.has(r)).map((r) => r.urn));
  const needed = new Set<string>();
  // From the end, because dependencies stand before their dependents.
  for (const r of [...resources].reverse()) {
    if (going.has(r) && (needed.has(referenceOf(r) ?? "") || (needed.has(r.urn) && !left.has(r.urn)))) going.delete(r);
    if (going.has(r)) continue;
    for (const urn of needsOf(r)) needed.add(urn);
    if (r.provider !== undefined) needed.add(r.provider);
  }
  return leaving.filter((r) => going.has(r));
}

export interface DeletionPlan {
  deletions: Step[];
  /** Resources that a limited operation leaves unchanged. */
  kept: Step[];
}

/**
 * @param survives whether an entry that is not replaced lives on
 * @throws DeploymentError (shown already) where a resource that the targets leave alone needs one that would be deleted
 */
export async function planDeletions(ctx: DeploymentContext, resources: readonly ResourceState[], survives: (urn: string) => boolean): Promise<DeletionPlan> {
  const { targets, request } = ctx;
  const guarded = protectedOnes(ctx, resources);
  let mayGo = (_urn: string): boolean => true;
  if (targets.targeted) {
    const going = withDependents(ctx.base, (urn) => targets.named(urn));
    for (const root of ctx.base) {
      if (!going.has(root.urn)) continue;
      for (const { state } of await dependentReplacements(ctx, root, survives)) going.add(state.urn);
    }
    mayGo = (urn) => going.has(urn);
  } else if (targets.excluding || guarded.size > 0) {
    const staying = withNeeds(ctx, ctx.base, (urn) => targets.excluded(urn) || guarded.has(urn));
    mayGo = (urn) => !staying.has(urn);
  }
  const ends = (state: ResourceState): boolean => state.delete || !survives(state.urn);
  // A resource that is imported and would be replaced in the same run: the preview shows it, and the run refuses it.
  const before = new Set(ctx.base.map((state) => `${state.urn}::${state.id}`));
  const known = (state: ResourceState): boolean => !ctx.preview || before.has(`${state.urn}::${state.id}`) || !state.delete;
  const leaving = withoutNeeded(
    resources,
    resources.filter((state) => ends(state) && mayGo(state.urn) && known(state)),
  );
  const gone = new Set(leaving.map((state) => state.urn));
  const deletions = leaving.map((state) => deleteStep(state, gone));
  if (!request.options.targetDependents) refuseUntargeted(ctx, deletions);
  for (const { provider } of deletions) if (provider !== undefined) await ctx.registry.get(provider);
  const kept = resources
    .filter((state) => !state.delete && ends(state) && !mayGo(state.urn))
    .map((old) => makeStep("same", { urn: old.urn, type: old.type, old, new: { ...old }, provider: old.provider, untargeted: true, keepsPlace: true }));
  return { deletions, kept };
}

/** A targeted operation deletes nothing that was not named. */
function refuseUntargeted(ctx: DeploymentContext, deletions: readonly Step[]): void {
  const unnamed = deletions.filter(({ urn }) => !ctx.targets.named(urn));
  if (unnamed.length === 0) return;
  for (const { urn } of unnamed) {
    ctx.events.diagnostic(
      "error",
      `Resource '${urn}' will be destroyed but was not specified in --target list.\nEither include resource in --target list or pass --target-dependents to proceed.`,
      urn,
    );
  }
  ctx.planningFailed();
  if (!ctx.preview) throw new DeploymentError("");
}
