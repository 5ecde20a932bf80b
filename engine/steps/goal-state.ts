/** The states that goals ask for, before anything is done about them. */
import type { Goal, ReadGoal } from "../monitor/goal";
import { newProviderId, withoutInternal } from "../providers/registry";
import { emptyState, type ResourceState } from "../snapshot/types";
import { isProviderType, parseProviderReference } from "../wire/urn";
import { flattenOutputs, type PropertyMap } from "../wire/values";

/** @param old the state that the new one continues; undefined for a new resource, and for one that is replaced */
export function goalState(goal: Goal, inputs: PropertyMap, old: ResourceState | undefined, preview: boolean): ResourceState {
  const provider = isProviderType(goal.type);
  return {
    ...emptyState(goal.urn, goal.type, goal.custom),
    id: provider ? (old?.id ?? newProviderId(preview)) : old?.id,
    inputs,
    outputs: provider ? withoutInternal(inputs) : (old?.outputs ?? {}),
    parent: goal.parent,
    protect: goal.protect,
    dependencies: goal.dependencies,
    propertyDependencies: goal.propertyDependencies,
    provider: goal.provider,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    customTimeouts: goal.customTimeouts,
    importId: goal.importId,
    retainOnDelete: goal.retainOnDelete,
    deletedWith: goal.deletedWith,
    replaceWith: goal.replaceWith,
    replacementTrigger: goal.replacementTrigger,
    created: old?.created,
    modified: old?.modified,
    sourcePosition: goal.sourcePosition,
    ignoreChanges: goal.ignoreChanges,
    replaceOnChanges: goal.replaceOnChanges,
    hideDiff: goal.hideDiffs,
    resourceHooks: goal.hooks,
    unknownFields: old?.unknownFields ?? {},
  };
}

export function readState(goal: ReadGoal): ResourceState {
  return {
    ...emptyState(goal.urn, goal.type, true),
    id: goal.id,
    external: true,
    inputs: flattenOutputs(goal.inputs),
    parent: goal.parent,
    dependencies: goal.dependencies,
    provider: goal.provider,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    sourcePosition: goal.sourcePosition,
  };
}

/** The state without references to resources that a refresh left out because they do not exist. @param missing their URNs */
export function withoutMissing(state: ResourceState, old: ResourceState, missing: ReadonlySet<string>): ResourceState {
  const there = (urn: string | undefined): boolean => urn === undefined || !missing.has(urn);
  const properties = Object.entries(state.propertyDependencies ?? {}).map(([key, urns]) => [key, urns.filter(there)] as const);
  return {
    ...state,
    dependencies: state.dependencies.filter(there),
    propertyDependencies: Object.fromEntries(properties),
    parent: there(state.parent) ? state.parent : undefined,
    provider: state.provider !== undefined && there(parseProviderReference(state.provider).urn) ? state.provider : old.provider,
    deletedWith: there(state.deletedWith) ? state.deletedWith : undefined,
    replaceWith: state.replaceWith.filter(there),
  };
}
