/** Reads the real world into the state (engine-contract F10). Changes the state, never the world. */
import { isDeepStrictEqual } from "node:util";
import { inPool } from "../../common/pool";
import { DeploymentError, StepFailed } from "../errors";
import type { Provider } from "../providers/builtin";
import { ProviderError } from "../providers/provider-error";
import type { ResourceRef } from "../providers/provider-messages";
import { dependenciesOf, type ResourceState } from "../snapshot/types";
import { differenceOf } from "../steps/diffing";
import { makeStep, type Step } from "../steps/step";
import { isProviderType, urnName } from "../wire/urn";
import { annotateSecrets, markSecretOutputs, sameValue } from "../wire/values";
import type { DeploymentContext } from "./context";

export interface Refreshed {
  op: "same" | "update" | "delete";
  /** The state that was read; undefined where the object no longer exists. */
  state: ResourceState | undefined;
}

type Found = { id: string; outputs: ResourceState["outputs"]; inputs: ResourceState["inputs"] | undefined; initErrors: string[] };

/** An existing resource that is unhealthy does not fail the refresh: its errors are recorded in the state. */
async function readThrough(ctx: DeploymentContext, client: Provider, ref: ResourceRef, state: ResourceState): Promise<Found | undefined> {
  try {
    const found = await client.read(ref, state.id ?? "", state.inputs, state.outputs);
    return found && { ...found, initErrors: [] };
  } catch (thrown) {
    if (!(thrown instanceof ProviderError) || thrown.partial === undefined) throw thrown;
    const { id, properties, inputs, reasons } = thrown.partial;
    ctx.events.diagnostic("warning", `Refreshed resource is in an unhealthy state:\n* ${reasons.join("\n* ")}`, state.urn);
    return { id, outputs: properties, inputs: Object.keys(inputs).length > 0 ? inputs : undefined, initErrors: reasons };
  }
}

/**
 * Reads one entry. Where nothing can be read, the entry stays as it is.
 * @param wanted the entry with the program's options, whose provider does the read; default: the entry of the state
 */
async function readOne(ctx: DeploymentContext, state: ResourceState, wanted = state): Promise<Refreshed> {
  const same: Refreshed = { op: "same", state };
  // The provider of each entry is started, even if the entry is not read.
  const client = wanted.provider === undefined ? undefined : await ctx.registry.get(wanted.provider);
  if (client === undefined || !state.custom || isProviderType(state.type) || state.pendingReplacement) return same;
  if (!client.configured) {
    ctx.events.diagnostic("warning", "The provider of this resource has inputs that are not known during preview: it was not read.", wanted.urn);
    return same;
  }
  const ref = { urn: wanted.urn, type: wanted.type, name: urnName(wanted.urn) };
  const found = await readThrough(ctx, client, ref, state);
  if (found === undefined || found.id === "") return { op: "delete", state: undefined };
  // A provider may drop the marks of secrets. They must stay secret in the state.
  const inputs = found.inputs === undefined ? state.inputs : annotateSecrets(found.inputs, state.inputs);
  const outputs = markSecretOutputs(found.outputs, inputs, wanted.additionalSecretOutputs);
  const { created, modified, external } = state;
  const read = { ...wanted, created, modified, external, id: found.id, inputs, outputs, initErrors: found.initErrors };
  if (!(sameValue(read.outputs, state.outputs) && sameValue(read.inputs, state.inputs))) read.modified = ctx.now();
  if (state.external) return { op: sameValue(found.outputs, state.outputs) ? "same" : "update", state: read };
  // What an update would change right after the refresh, if the program still had the inputs of the state.
  const diff = await client.diff(ref, read.id, { ...read, outputs: found.outputs }, state.inputs, state.ignoreChanges);
  return { op: differenceOf(diff, read.inputs, state.inputs, state.ignoreChanges).changed ? "update" : "same", state: read };
}

/**
 * Removes references to entries that are gone.
 * @param plain for which entries the property dependencies that are empty are removed too, as the CLI does in a refresh without a program
 */
function pruned(resources: readonly ResourceState[], plain: (state: ResourceState) => boolean): [ResourceState, ResourceState][] {
  const living = new Set(resources.map((r) => r.urn));
  const seen = new Set<string>();
  const lives = (urn: string): boolean => seen.has(urn);
  return resources.flatMap((state): [ResourceState, ResourceState][] => {
    const next: ResourceState = {
      ...state,
      dependencies: state.dependencies.filter(lives),
      propertyDependencies:
        state.propertyDependencies &&
        Object.fromEntries(
          Object.entries(state.propertyDependencies)
            .map(([key, urns]) => [key, urns.filter(lives)] as const)
            .filter(([, urns]) => urns.length > 0 || !plain(state)),
        ),
      // Children of a deleted resource have no parent then; they are not moved to the next ancestor.
      parent: state.parent !== undefined && living.has(state.parent) ? state.parent : undefined,
      deletedWith: state.deletedWith !== undefined && lives(state.deletedWith) ? state.deletedWith : undefined,
      replaceWith: state.replaceWith.filter(lives),
    };
    seen.add(state.urn);
    return isDeepStrictEqual(next, state) ? [] : [[state, next]];
  });
}

/** Removes the entry of an object that no longer exists, and all references to it. */
function drop(ctx: DeploymentContext, gone: ResourceState): void {
  const left = ctx.state.snapshot().resources.filter((r) => r !== gone);
  for (const [before, after] of pruned(left, () => false)) ctx.settlement.change(before, after);
  ctx.state.settle({ remove: [gone] });
}

/**
 * Reads what the program has just registered, with the provider that the program gives it. From then on it has the program's options.
 * The step's new state is what the provider has read; undefined where the object no longer exists.
 */
export async function applyRefresh(ctx: DeploymentContext, step: Step): Promise<void> {
  const { old: before, new: wanted } = step;
  if (before === undefined || wanted === undefined) throw new Error(`a refresh of ${step.urn} without a state`);
  const old = ctx.settlement.current(before);
  const { op, state } = await readOne(ctx, old, wanted);
  step.new = state;
  if (state === undefined) drop(ctx, old);
  else if (state !== old) ctx.settlement.succeed(old, state);
  const only = ctx.request.kind === "refresh" || ctx.request.previewOf === "refresh";
  ctx.events.finished(step, only ? op : "refresh");
  // Providers and components are not read: they have no object outside, and their own step is counted.
  if (only && wanted.custom && !isProviderType(step.type)) ctx.events.count(step, op);
}

/** The entries that a refresh reads: those that the flags name and, with the flag for it, those that depend on them. No other entry is included. */
function chosen(ctx: DeploymentContext, resources: readonly ResourceState[]): ResourceState[] {
  return resources.filter((r) => ctx.targets.admit(r.urn, dependenciesOf(r)));
}

/** Reads are short: more of them at once would only slow each other down. */
const MOST_AT_ONCE = 64;

/**
 * @param reads which entries; default: all that the flags name
 * @param counted whether the steps count in the summary: not where the refresh only precedes an update
 * @throws DeploymentError where an entry could not be read
 */
export async function refresh(
  ctx: DeploymentContext,
  parallel: number,
  counted: boolean,
  reads: (state: ResourceState) => boolean = () => true,
): Promise<void> {
  const gone: ResourceState[] = [];
  let failed = false;
  const one = async (state: ResourceState): Promise<void> => {
    if (ctx.request.signal.aborted) return;
    const step = makeStep("refresh", { urn: state.urn, type: state.type, old: state, new: state, provider: state.provider });
    ctx.events.planned(step);
    try {
      const { op, state: read } = await readOne(ctx, state);
      if (read === undefined) gone.push(state);
      else if (read !== state) ctx.state.settle({ put: [[state, read]] });
      ctx.events.finished({ ...step, new: read }, counted ? op : "refresh");
      if (counted) ctx.events.count(step, op);
    } catch (thrown) {
      if (!(thrown instanceof ProviderError || thrown instanceof DeploymentError || thrown instanceof StepFailed)) throw thrown;
      failed = true;
      ctx.events.stepError(step, thrown.message);
      ctx.events.failed(step, 0);
    }
  };
  await inPool(chosen(ctx, ctx.state.snapshot().resources).filter(reads), Math.min(parallel, MOST_AT_ONCE), one);
  const lost = new Set(gone);
  const left = ctx.state.snapshot().resources.filter((r) => !lost.has(r));
  ctx.state.settle({ remove: gone, put: pruned(left, (state) => !ctx.state.isNew(state)) });
  if (failed) throw new DeploymentError("");
}
