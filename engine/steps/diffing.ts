/** Decides what a registration means for a resource that exists (engine-contract F4). */

import type { DiffKind } from "../contracts";
import type { DeploymentContext } from "../deployment/context";
import type { Goal } from "../monitor/goal";
import type { DiffResult } from "../providers/provider-messages";
import type { ResourceState } from "../snapshot/types";
import { joinPath, parsePath, pathContains, resetPaths } from "../wire/paths";
import { isProviderType, parseProviderReference, urnName } from "../wire/urn";
import { containsUnknowns, flattenOutputs, isObject, type PropertyMap, sameValue, signatureOf, type Value, withoutSecrets } from "../wire/values";
import type { Step } from "./step";

/** What has changed: the provider's answer, or the engine's own comparison if the provider does not know. */
export interface Difference {
  changed: boolean;
  replaceKeys: string[];
  diffs: string[];
  detailedDiff: Step["detailedDiff"];
  deleteBeforeReplace: boolean;
}

export interface Verdict extends Difference {
  action: "same" | "update" | "replace";
}

const NONE: Difference = { changed: false, replaceKeys: [], diffs: [], detailedDiff: undefined, deleteBeforeReplace: false };
const SOME: Difference = { ...NONE, changed: true };
const KINDS: DiffKind[] = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];

const replaceBecause = (key: string): Difference => ({ ...SOME, replaceKeys: [key] });
const isReplace = (kind: DiffKind): boolean => kind.endsWith("-replace");

/** Whether the provider asks for a replacement, by keys or by a detailed difference. */
export const asksReplacement = (difference: Difference): boolean =>
  difference.replaceKeys.length > 0 || Object.values(difference.detailedDiff ?? {}).some(({ diffKind }) => isReplace(diffKind));

/** Top-level keys that differ, secrets unwrapped. */
function changedKeys(olds: PropertyMap, news: PropertyMap): string[] {
  const [a, b] = [withoutSecrets(olds), withoutSecrets(news)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !sameValue(a[key], b[key]));
}

const isPlain = (value: Value | undefined): value is PropertyMap => isObject(value) && signatureOf(value) === undefined;

/** The paths at which two values differ, as deep as both are of one kind. */
function differences(path: string, old: Value | undefined, now: Value | undefined): [path: string, kind: DiffKind][] {
  if (sameValue(old, now)) return [];
  if (old === undefined) return [[path, "add"]];
  if (now === undefined) return [[path, "delete"]];
  if (Array.isArray(old) && Array.isArray(now))
    return Array.from({ length: Math.max(old.length, now.length) }).flatMap((_, i) => differences(`${path}[${i}]`, old[i], now[i]));
  if (isPlain(old) && isPlain(now)) return inObject(path, old, now);
  return [[path, "update"]];
}

const inObject = (path: string, old: PropertyMap, now: PropertyMap): [string, DiffKind][] =>
  [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) => differences(joinPath(path, key), old[key], now[key]));

function byKeys(olds: PropertyMap, news: PropertyMap): Pick<Difference, "changed" | "diffs" | "detailedDiff"> {
  const diffs = changedKeys(olds, news);
  const paths = inObject("", withoutSecrets(olds), withoutSecrets(news));
  return { changed: diffs.length > 0, diffs, detailedDiff: Object.fromEntries(paths.map(([path, diffKind]) => [path, { diffKind, inputDiff: true }])) };
}

/** A provider's answer; where it does not know whether anything changed, the inputs are compared. */
export function differenceOf(diff: DiffResult, oldInputs: PropertyMap, inputs: PropertyMap, ignoreChanges: readonly string[]): Difference {
  const { replaces, deleteBeforeReplace, diffs } = diff;
  const detailedDiff =
    diff.detailedDiff &&
    Object.fromEntries(Object.entries(diff.detailedDiff).map(([path, { kind, inputDiff }]) => [path, { diffKind: KINDS[kind] ?? "update", inputDiff }]));
  const told = { changed: diff.changes === "some", replaceKeys: replaces, diffs, detailedDiff, deleteBeforeReplace };
  if (diff.changes !== "unknown") return told;
  const found = byKeys(oldInputs, resetPaths(inputs, oldInputs, ignoreChanges));
  return found.changed ? { ...told, ...found } : told;
}

/** Changed keys that `replaceOnChanges` names become reasons to replace; `#initerror` stands for an initialisation that failed. */
export function withReplaceOnChanges(difference: Difference, replaceOnChanges: readonly string[], initErrors: boolean): Difference {
  if (!difference.changed && !initErrors) return difference;
  const listed = replaceOnChanges.map(parsePath);
  const names = (path: string): boolean => listed.some((outer) => pathContains(outer, parsePath(path)));
  const keys = new Set([...difference.replaceKeys, ...difference.diffs.filter(names)]);
  const detailedDiff =
    difference.detailedDiff &&
    Object.fromEntries(
      Object.entries(difference.detailedDiff).map(([path, entry]) => [
        path,
        names(path) && !isReplace(entry.diffKind) ? { ...entry, diffKind: `${entry.diffKind}-replace` as DiffKind } : entry,
      ]),
    );
  const failed = initErrors && names("#initerror");
  if (failed) keys.add("#initerror");
  return { ...difference, detailedDiff, replaceKeys: [...keys], changed: difference.changed || failed };
}

/** Whether the trigger asks for a replacement. Unknown counts as changed; else no trigger, before or now, asks for nothing. */
function triggers(before: Value | undefined, now: Value | undefined): boolean {
  const plain = (value: Value = null): Value => withoutSecrets(flattenOutputs({ value })["value"] ?? null);
  const [a, b] = [plain(before), plain(now)];
  if (containsUnknowns(a) || containsUnknowns(b)) return true;
  return a !== null && b !== null && !sameValue(a, b);
}

/** Whether a changed provider reference means that the resource must be replaced. */
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
  if (providerAliases.get(after.urn) === before.urn) return false;
  const oldProvider = ctx.base.find((r) => r.urn === before.urn && r.id === before.id);
  if (oldProvider === undefined) return true;
  const diff = await ctx.registry.diffAcross(goal.provider, oldProvider, ctx.newProviderInputs(goal.provider));
  return diff !== undefined && asksReplacement(differenceOf(diff, {}, {}, []));
}

async function providerDifference(ctx: DeploymentContext, old: ResourceState, goal: Goal, inputs: PropertyMap): Promise<Difference> {
  const diff = await ctx.registry.diff(goal.urn, old, inputs, goal.ignoreChanges);
  if (diff === undefined) return changedKeys(old.inputs, inputs).length > 0 ? SOME : NONE;
  const changed = diff.changes === "some" || (diff.changes === "unknown" && changedKeys(old.inputs, inputs).length > 0);
  return { ...differenceOf({ ...diff, changes: changed ? "some" : "none" }, old.inputs, inputs, []), detailedDiff: undefined };
}

export interface DiffFacts {
  providerAliases: ReadonlyMap<string, string>;
  /** URNs that are replaced in this run. */
  replaced: ReadonlySet<string>;
}

/** The difference for a custom resource, a provider or a component that the state holds. */
async function difference(ctx: DeploymentContext, old: ResourceState, goal: Goal, inputs: PropertyMap, facts: DiffFacts): Promise<Difference> {
  if (ctx.targets.replaces(goal.urn) || old.taint) return replaceBecause("id");
  if (goal.replaceWith.some((urn) => facts.replaced.has(urn))) return replaceBecause("replaceWith");
  if (goal.deletedWith !== undefined && facts.replaced.has(goal.deletedWith)) return replaceBecause("deletedWith");
  if (await providerForcesReplacement(ctx, old, goal, facts.providerAliases)) return replaceBecause("provider");
  if (!goal.custom) return sameValue(old.inputs, inputs) ? NONE : SOME;
  if (isProviderType(goal.type)) return providerDifference(ctx, old, goal, inputs);
  const client = await ctx.registry.get(goal.provider ?? "");
  if (!client.configured) {
    ctx.events.diagnostic(
      "warning",
      "The provider for this resource has inputs that are not known during preview.\nThis preview may not correctly represent the changes that will be applied during an update.",
      goal.urn,
    );
    return SOME;
  }
  const ref = { urn: goal.urn, type: goal.type, name: urnName(goal.urn) };
  const diff = (await ctx.foresight.diff(goal.urn, old, inputs)) ?? (await client.diff(ref, old.id ?? "", old, inputs, goal.ignoreChanges));
  return differenceOf(diff, old.inputs, inputs, goal.ignoreChanges);
}

/** @param inputs what the provider checked; of a component, the program's inputs */
export async function decide(ctx: DeploymentContext, old: ResourceState, goal: Goal, inputs: PropertyMap, facts: DiffFacts): Promise<Verdict> {
  const triggered = triggers(old.replacementTrigger, goal.replacementTrigger);
  const initErrors = old.initErrors.length > 0;
  const found = withReplaceOnChanges(triggered ? SOME : await difference(ctx, old, goal, inputs, facts), goal.replaceOnChanges, initErrors);
  const replaces = old.pendingReplacement || (found.changed && (triggered || asksReplacement(found)));
  return { ...found, action: replaces ? "replace" : found.changed || initErrors ? "update" : "same" };
}
