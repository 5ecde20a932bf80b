/** Decides what a registration means for a resource that exists (engine-contract F4). */

import type { DiffKind } from "../contracts";
import type { DeploymentContext } from "../deployment/context";
import type { Goal } from "../monitor/goal";
import type { DiffResult } from "../providers/provider-client";
import type { ResourceState } from "../snapshot/types";
import { parsePath, pathContains } from "../wire/paths";
import { isProviderType, parseProviderReference, urnName } from "../wire/urn";
import { type PropertyMap, sameValue, withoutSecrets } from "../wire/values";
import type { Step } from "./step";

export interface Verdict {
  action: "same" | "update" | "replace";
  keys: string[];
  diffs: string[];
  detailedDiff: Step["detailedDiff"];
  deleteBeforeReplace: boolean;
}

const SAME: Verdict = { action: "same", keys: [], diffs: [], detailedDiff: undefined, deleteBeforeReplace: false };
const KINDS: DiffKind[] = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];

export const replaceBecause = (key: string): Verdict => ({ ...SAME, action: "replace", keys: [key] });

/** Top-level keys that differ, secrets unwrapped. */
export function changedKeys(olds: PropertyMap, news: PropertyMap): string[] {
  const [a, b] = [withoutSecrets(olds), withoutSecrets(news)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !sameValue(a[key], b[key]));
}

function fromKeys(olds: PropertyMap, news: PropertyMap): Pick<Verdict, "diffs" | "detailedDiff"> {
  const diffs = changedKeys(olds, news);
  const kind = (key: string): DiffKind => (!(key in olds) ? "add" : !(key in news) ? "delete" : "update");
  return { diffs, detailedDiff: Object.fromEntries(diffs.map((key) => [key, { diffKind: kind(key), inputDiff: true }])) };
}

/** Changed paths that `replaceOnChanges` names become reasons to replace. */
function applyReplaceOnChanges(verdict: Verdict, goal: Goal, initErrors: boolean): Verdict {
  if (verdict.action === "same") return verdict;
  const changed = verdict.detailedDiff ? Object.keys(verdict.detailedDiff) : verdict.diffs;
  const listed = goal.replaceOnChanges.filter((path) => path !== "#initerror").map(parsePath);
  const keys = changed.filter((path) => listed.some((outer) => pathContains(outer, parsePath(path))));
  if (initErrors && goal.replaceOnChanges.includes("#initerror")) keys.push("#initerror");
  return keys.length === 0 ? verdict : { ...verdict, action: "replace", keys: [...new Set([...verdict.keys, ...keys])] };
}

function fromProvider(diff: DiffResult, old: ResourceState, inputs: PropertyMap): Verdict {
  const { replaces, deleteBeforeReplace } = diff;
  if (diff.changes === "unknown") {
    const found = fromKeys(old.inputs, inputs);
    const action = replaces.length > 0 ? "replace" : found.diffs.length > 0 ? "update" : "same";
    return { action, keys: replaces, ...found, deleteBeforeReplace };
  }
  const detailedDiff =
    diff.detailedDiff &&
    Object.fromEntries(Object.entries(diff.detailedDiff).map(([path, { kind, inputDiff }]) => [path, { diffKind: KINDS[kind] ?? "update", inputDiff }]));
  if (diff.changes === "none" && replaces.length === 0) return { ...SAME, diffs: diff.diffs, detailedDiff };
  return { action: replaces.length > 0 ? "replace" : "update", keys: replaces, diffs: diff.diffs, detailedDiff, deleteBeforeReplace };
}

/** Whether a changed provider reference means that the resource must be made anew. */
async function providerForcesReplacement(
  ctx: DeploymentContext,
  old: ResourceState,
  goal: Goal,
  providerAliases: ReadonlyMap<string, string>,
): Promise<boolean> {
  if (old.provider === goal.provider) return false;
  if (old.provider === undefined || goal.provider === undefined) return true;
  const before = parseProviderReference(old.provider);
  const after = parseProviderReference(goal.provider);
  if (providerAliases.get(after.urn) === before.urn && before.id === after.id) return false;
  const oldProvider = ctx.base.find((r) => r.urn === before.urn && r.id === before.id);
  if (oldProvider === undefined) return true;
  const diff = await ctx.registry.diffAcross(goal.provider, oldProvider, ctx.newProviderInputs(goal.provider));
  return diff !== undefined && diff.replaces.length > 0;
}

/** The verdict for a custom resource, a provider or a component that the state holds. */
export async function decide(
  ctx: DeploymentContext,
  old: ResourceState,
  goal: Goal,
  inputs: PropertyMap,
  providerAliases: ReadonlyMap<string, string>,
): Promise<Verdict> {
  const initErrors = old.initErrors.length > 0;
  if (!goal.custom) {
    const found = fromKeys(old.inputs, inputs);
    return found.diffs.length > 0 ? { ...SAME, action: "update", diffs: found.diffs } : SAME;
  }
  if (isProviderType(goal.type)) {
    const diff = await ctx.registry.diff(goal.urn, old, inputs, goal.ignoreChanges);
    if (diff === undefined) return changedKeys(old.inputs, inputs).length > 0 ? { ...SAME, action: "update" } : SAME;
    if (diff.replaces.length > 0) return { ...SAME, action: "replace", keys: diff.replaces, diffs: diff.diffs, deleteBeforeReplace: diff.deleteBeforeReplace };
    const changed = diff.changes === "some" || (diff.changes === "unknown" && changedKeys(old.inputs, inputs).length > 0);
    return changed ? { ...SAME, action: "update", diffs: diff.diffs } : SAME;
  }
  if (ctx.targets.replaces(goal.urn) || old.taint) return replaceBecause("id");
  if (await providerForcesReplacement(ctx, old, goal, providerAliases)) return replaceBecause("provider");
  const client = await ctx.registry.get(goal.provider ?? "");
  if (!client.configured) {
    ctx.events.diagnostic(
      "warning",
      "The provider for this resource has inputs that are not known during preview.\nThis preview may not correctly represent the changes that will be applied during an update.",
      goal.urn,
    );
    return { ...SAME, action: "update" };
  }
  const diff = await client.diff({ urn: goal.urn, type: goal.type, name: urnName(goal.urn) }, old.id ?? "", old, inputs, goal.ignoreChanges);
  let verdict = fromProvider(diff, old, inputs);
  if (verdict.action === "same" && initErrors) verdict = { ...verdict, action: "update" };
  return applyReplaceOnChanges(verdict, goal, initErrors);
}
