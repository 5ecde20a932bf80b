/** Compares what the program asks for with a plan. */
import type { Goal, GoalAlias } from "../monitor/goal";
import type { ResourceState } from "../snapshot/types";
import { parseProviderReference } from "../wire/urn";
import { isUnknown, type PropertyMap } from "../wire/values";
import { violations } from "./difference";
import { type GoalPlan, NO_DIFF } from "./plan";

/** The limit for a resource that the plan does not name: it must stay as it is in the state. */
export function unchangedGoal(old: ResourceState, goal: Goal): GoalPlan {
  const { type, custom, parent, protect, dependencies, provider, additionalSecretOutputs } = old;
  return {
    ...{ type, name: goal.name, custom, inputDiff: NO_DIFF, outputDiff: NO_DIFF, parent, protect, dependencies, provider, additionalSecretOutputs },
    ...{ propertyDependencies: old.propertyDependencies ?? {}, deleteBeforeReplace: undefined, ignoreChanges: [], aliases: [], importId: undefined },
    customTimeouts: old.customTimeouts ?? {},
  };
}

function difference(planned: readonly string[], given: readonly string[]): string | undefined {
  const only = (one: readonly string[], other: readonly string[]): string =>
    [...new Set(one)]
      .filter((item) => !other.includes(item))
      .sort()
      .join(", ");
  const [added, deleted] = [only(given, planned), only(planned, given)];
  const parts = [...(added === "" ? [] : [`added ${added}`]), ...(deleted === "" ? [] : [`deleted ${deleted}`])];
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** The plan may not know yet which ID the provider will have. */
function sameProvider(planned: string | undefined, given: string | undefined): boolean {
  if (planned === given) return true;
  if (planned === undefined || given === undefined) return false;
  const [expected, actual] = [parseProviderReference(planned), parseProviderReference(given)];
  return expected.urn === actual.urn && isUnknown(expected.id);
}

const aliasText = ({ urn, name, type, project, stack, parent, noParent }: GoalAlias): string =>
  `{${[urn, name, type, project, stack, parent, noParent].join(" ")}}`;

/**
 * @returns the first deviation from the plan, without the resource's name; undefined where there is none. Source of rules and words:
 * the CLI 3.260, observed.
 */
export function goalViolation(plan: GoalPlan, goal: Goal, oldInputs: PropertyMap, inputs: PropertyMap): string | undefined {
  const expected = (what: string, planned: unknown): string => `${what} changed (expected ${planned})`;
  if (plan.custom !== goal.custom) return `resource kind changed (expected ${plan.custom ? "custom" : "component"})`;
  if (!sameProvider(plan.provider, goal.provider)) return expected("provider", plan.provider ?? "none");
  if (plan.parent !== goal.parent) return expected("parent", plan.parent ?? "none");
  if (plan.protect !== goal.protect) return expected("protect", plan.protect);
  if (plan.deleteBeforeReplace !== goal.deleteBeforeReplace) return expected("deleteBeforeReplace", plan.deleteBeforeReplace ?? "no value");
  if (plan.importId !== goal.importId) return expected("importID", plan.importId ?? "none");
  for (const kind of ["create", "update", "delete", "read"]) {
    const planned = plan.customTimeouts[kind] ?? 0;
    if (planned !== (goal.customTimeouts?.[kind] ?? 0)) return expected(`${kind} timeout`, planned);
  }
  const lists: [string, readonly string[], readonly string[]][] = [
    ["ignoreChanges", plan.ignoreChanges, goal.ignoreChanges],
    ["additionalSecretOutputs", plan.additionalSecretOutputs, goal.additionalSecretOutputs],
    ["dependencies", plan.dependencies, goal.dependencies],
    ["aliases", plan.aliases.map(aliasText), goal.givenAliases.map(aliasText)],
  ];
  for (const [what, planned, given] of lists) {
    const found = difference(planned, given);
    if (found !== undefined) return `${what} changed: ${found}`;
  }
  const properties = violations(oldInputs, inputs, plan.inputDiff);
  if (properties.length > 0) return `properties changed: ${properties.join(", ")}`;
  // A property that is unknown in the plan may be left out by the program.
  for (const [key, urns] of Object.entries(plan.propertyDependencies)) {
    const given = goal.propertyDependencies[key];
    const found = given && difference(urns, given);
    if (found !== undefined) return `dependencies for ${key} changed: ${found}`;
  }
  return undefined;
}
