/** Which resources of the old state must go and come back with one that is deleted before it is replaced (engine-contract F5). */
import type { DeploymentContext } from "../deployment/context";
import type { ResourceState } from "../snapshot/types";
import { parseProviderReference, urnName } from "../wire/urn";
import { type PropertyMap, UNKNOWN } from "../wire/values";

export interface DependentReplacement {
  state: ResourceState;
  keys: string[];
}

/** Inputs with those that come from replaced resources unknown. */
function unsettled(state: ResourceState, gone: ReadonlySet<string>): PropertyMap | undefined {
  const touched = Object.entries(state.propertyDependencies ?? {}).filter(([, urns]) => urns.some((urn) => gone.has(urn)));
  if (state.propertyDependencies === undefined && state.dependencies.some((urn) => gone.has(urn))) {
    return Object.fromEntries(Object.keys(state.inputs).map((key) => [key, UNKNOWN]));
  }
  if (touched.length === 0) return undefined;
  return { ...state.inputs, ...Object.fromEntries(touched.map(([key]) => [key, UNKNOWN])) };
}

async function forced(ctx: DeploymentContext, state: ResourceState, gone: ReadonlySet<string>): Promise<string[] | undefined> {
  if (state.provider !== undefined && gone.has(parseProviderReference(state.provider).urn)) return ["provider"];
  if (state.deletedWith !== undefined && gone.has(state.deletedWith)) return ["deletedWith"];
  const inputs = unsettled(state, gone);
  if (inputs === undefined || state.provider === undefined) return undefined;
  const client = await ctx.registry.get(state.provider);
  if (!client.configured) return undefined;
  const diff = await client.diff({ urn: state.urn, type: state.type, name: urnName(state.urn) }, state.id ?? "", state, inputs, []);
  return diff.replaces.length > 0 ? diff.replaces : undefined;
}

/** In the state's order: what is needed before what needs it. */
export async function dependentReplacements(ctx: DeploymentContext, root: ResourceState): Promise<DependentReplacement[]> {
  const gone = new Set([root.urn]);
  const found: DependentReplacement[] = [];
  const start = ctx.base.findIndex((r) => r.urn === root.urn && !r.delete);
  for (const state of ctx.base.slice(start + 1)) {
    if (state.delete || !state.custom || state.external) continue;
    const keys = await forced(ctx, state, gone);
    if (keys === undefined) continue;
    gone.add(state.urn);
    found.push({ state, keys });
  }
  return found;
}
