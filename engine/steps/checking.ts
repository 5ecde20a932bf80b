/** Has the provider check inputs, and shows what it refuses. */
import type { DeploymentContext } from "../deployment/context";
import { CheckFailed } from "../errors";
import type { Goal } from "../monitor/goal";
import { resetPaths } from "../wire/paths";
import { isProviderType, urnName } from "../wire/urn";
import { droppingUnknowns, type PropertyMap, shownText } from "../wire/values";

/**
 * @param olds empty for a resource that is new or replaced
 * @param seed of automatic names: the same for each check of one registration
 * @throws CheckFailed
 */
export async function checkInputs(ctx: DeploymentContext, goal: Goal, olds: PropertyMap, news: PropertyMap, seed: Uint8Array): Promise<PropertyMap> {
  if (!goal.custom) return news;
  const ref = { urn: goal.urn, type: goal.type, name: urnName(goal.urn) };
  const ask = async () => {
    if (isProviderType(goal.type)) return ctx.registry.check(goal.urn, olds, news);
    const client = await ctx.registry.get(goal.provider ?? "");
    if (!client.configured) return { inputs: news, failures: [] };
    // Outside previews, unknown values come from resources that failed. A resource that needs them is skipped after this check.
    return (await ctx.foresight.check(goal.urn, olds, news, seed)) ?? client.check(ref, olds, ctx.preview ? news : droppingUnknowns(news), seed);
  };
  const { inputs, failures } = await ask();
  if (failures.length === 0) return inputs;
  for (const { property, reason } of failures) {
    const what =
      property === ""
        ? `${goal.type} resource '${goal.name}' has a problem: ${reason}`
        : `${goal.type} resource '${goal.name}': property ${property} value {${shownText(news[property])}} has a problem: ${reason}`;
    ctx.events.diagnostic("error", what, goal.urn);
  }
  throw new CheckFailed(`${goal.urn} has wrong inputs`);
}

/** The program's inputs, with the previous values at paths of `ignoreChanges`. A path that cannot be ignored is reported, and its value changes. */
export function withIgnored(ctx: DeploymentContext, goal: Goal, olds: PropertyMap): PropertyMap {
  if (goal.ignoreChanges.length === 0) return goal.inputs;
  const missed: string[] = [];
  const inputs = resetPaths(goal.inputs, olds, goal.ignoreChanges, (path, isPath) => {
    if (isPath) missed.push(path);
    else ctx.events.diagnostic("warning", `ignoreChanges: ${JSON.stringify(path)} is not a property path, and ignores nothing`, goal.urn);
  });
  if (missed.length > 0)
    ctx.events.diagnostic("info", `cannot ignore changes in added or removed elements of the path: ${JSON.stringify(missed.join(", "))}`, goal.urn);
  return inputs;
}
