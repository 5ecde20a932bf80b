/** Reads the real world into the state (engine-contract F10). Changes the state, never the world. */
import { DeploymentError } from "../errors";
import { readBuiltin, STACK_REFERENCE } from "../providers/builtin";
import { ProviderError } from "../providers/provider-client";
import type { ResourceState } from "../snapshot/types";
import { makeStep } from "../steps/step";
import { isProviderType, urnName } from "../wire/urn";
import { markSecretOutputs, sameValue } from "../wire/values";
import type { DeploymentContext } from "./context";

/** The state of one entry as it was read, undefined where it is gone, or as it was where nothing is read. */
async function readOne(ctx: DeploymentContext, state: ResourceState): Promise<ResourceState | undefined> {
  if (!state.custom || isProviderType(state.type) || state.pendingReplacement) return state;
  if (state.type === STACK_REFERENCE) return { ...state, outputs: await readBuiltin(ctx.request, state) };
  const client = await ctx.registry.get(state.provider ?? "");
  const ref = { urn: state.urn, type: state.type, name: urnName(state.urn) };
  try {
    const found = await client.read(ref, state.id ?? "", state.inputs, state.outputs);
    if (found === undefined) return undefined;
    const inputs = found.inputs ?? state.inputs;
    // Properties that depend on nothing are dropped, as the CLI does.
    const propertyDependencies =
      state.propertyDependencies && Object.fromEntries(Object.entries(state.propertyDependencies).filter(([, urns]) => urns.length > 0));
    const read = {
      ...state,
      id: found.id,
      propertyDependencies,
      inputs,
      outputs: markSecretOutputs(found.outputs, inputs, state.additionalSecretOutputs),
      initErrors: [],
    };
    // What is shown of a change is the provider's own comparison, as the CLI asks for it.
    if (!state.external && !state.delete)
      await client.diff(ref, state.id ?? "", { inputs: read.inputs, outputs: read.outputs }, state.inputs, state.ignoreChanges);
    return read;
  } catch (thrown) {
    if (thrown instanceof ProviderError && thrown.partial !== undefined) {
      return {
        ...state,
        id: thrown.partial.id,
        outputs: thrown.partial.properties,
        inputs: Object.keys(thrown.partial.inputs).length > 0 ? thrown.partial.inputs : state.inputs,
        initErrors: thrown.partial.reasons,
      };
    }
    throw thrown;
  }
}

/** Takes references to entries that are gone out of the others. */
function prune(resources: readonly ResourceState[], gone: ReadonlyMap<string, ResourceState>): [ResourceState, ResourceState][] {
  const parentOf = (urn: string | undefined): string | undefined => {
    for (let parent = urn; ; parent = gone.get(parent)?.parent) if (parent === undefined || !gone.has(parent)) return parent;
  };
  const changed: [ResourceState, ResourceState][] = [];
  for (const state of resources) {
    const lives = (urn: string): boolean => !gone.has(urn);
    if (
      state.dependencies.every(lives) &&
      Object.values(state.propertyDependencies ?? {})
        .flat()
        .every(lives) &&
      parentOf(state.parent) === state.parent &&
      (state.deletedWith === undefined || lives(state.deletedWith))
    )
      continue;
    const propertyDependencies =
      state.propertyDependencies &&
      Object.fromEntries(
        Object.entries(state.propertyDependencies)
          .map(([key, urns]) => [key, urns.filter(lives)] as const)
          .filter(([, urns]) => urns.length > 0),
      );
    changed.push([
      state,
      {
        ...state,
        dependencies: state.dependencies.filter(lives),
        propertyDependencies,
        parent: parentOf(state.parent),
        deletedWith: state.deletedWith !== undefined && lives(state.deletedWith) ? state.deletedWith : undefined,
      },
    ]);
  }
  return changed;
}

/**
 * @param counted whether the steps count in the summary: not where the refresh only precedes an update
 * @throws DeploymentError where an entry could not be read
 */
export async function refresh(ctx: DeploymentContext, parallel: number, counted: boolean): Promise<void> {
  const gone = new Map<string, ResourceState>();
  let failed = false;
  const waiting = ctx.state.snapshot().resources.filter((r) => ctx.targets.includes(r.urn));
  const one = async (state: ResourceState): Promise<void> => {
    const step = makeStep("refresh", { urn: state.urn, type: state.type, old: state, new: state, provider: state.provider });
    ctx.events.planned(step);
    const read = await readOne(ctx, state);
    const op = read === undefined ? "delete" : sameValue(read.outputs, state.outputs) && sameValue(read.inputs, state.inputs) ? "same" : "update";
    if (read === undefined) gone.set(state.urn, state);
    else if (read !== state) {
      ctx.state.settle({ put: [[state, op === "update" ? { ...read, modified: ctx.now() } : read]] });
    }
    ctx.events.finished({ ...step, new: read }, counted ? op : "refresh");
    if (counted) ctx.events.count(step, op);
  };
  const worker = async (): Promise<void> => {
    for (let state = waiting.shift(); state !== undefined && !ctx.request.signal.aborted; state = waiting.shift()) {
      const current = state;
      try {
        await one(current);
      } catch (thrown) {
        if (!(thrown instanceof ProviderError) && !(thrown instanceof DeploymentError)) throw thrown;
        failed = true;
        ctx.events.diagnostic("error", thrown.message, current.urn);
        ctx.events.failed(makeStep("refresh", { urn: current.urn, type: current.type, old: current, new: current }), 0);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel > 0 ? Math.min(parallel, 64) : 64 }, worker));
  if (gone.size > 0) {
    const left = ctx.state.snapshot().resources.filter((r) => gone.get(r.urn) !== r);
    ctx.state.settle({ remove: [...gone.values()], put: prune(left, gone) });
  }
  if (failed) throw new DeploymentError("");
}
