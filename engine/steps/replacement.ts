/** Which resources of the old state must go and come back with one that is deleted before it is replaced (engine-contract F5). */

import { UNKNOWN } from "../../common/signatures";
import type { DeploymentContext } from "../deployment/context";
import { DeploymentError } from "../errors";
import type { ResourceState } from "../snapshot/types";
import { isProviderType, parseProviderReference, urnName } from "../wire/urn";
import type { PropertyMap } from "../wire/values";
import { asksReplacement, differenceOf, withReplaceOnChanges } from "./diffing";
import { makeStep, type Step } from "./step";

export interface DependentReplacement {
  state: ResourceState;
  keys: string[];
}

/** Inputs with those that come from replaced resources unknown; undefined where none does. */
function unsettled(state: ResourceState, gone: ReadonlySet<string>): PropertyMap | undefined {
  const comesFromGone = (key: string): boolean => (state.propertyDependencies?.[key] ?? []).some((urn) => gone.has(urn));
  const touched = Object.keys(state.inputs).filter(comesFromGone);
  if (touched.length === 0) return undefined;
  return { ...state.inputs, ...Object.fromEntries(touched.map((key) => [key, UNKNOWN])) };
}

/** The keys that force a resource to be deleted with those in `gone`; undefined where it can stay. */
async function forced(ctx: DeploymentContext, state: ResourceState, gone: ReadonlySet<string>): Promise<string[] | undefined> {
  if (state.provider !== undefined && gone.has(parseProviderReference(state.provider).urn)) return [];
  if (state.deletedWith !== undefined && gone.has(state.deletedWith)) return [];
  const inputs = unsettled(state, gone);
  if (inputs === undefined) return undefined;
  const reference = isProviderType(state.type) ? `${state.urn}::${state.id}` : state.provider;
  if (reference === undefined) return undefined;
  const client = await ctx.registry.get(reference);
  if (!client.configured) return undefined;
  const ref = { urn: state.urn, type: state.type, name: urnName(state.urn) };
  const diff = isProviderType(state.type)
    ? await client.diffConfig(ref, state, inputs, state.ignoreChanges)
    : await client.diff(ref, state.id ?? "", state, inputs, state.ignoreChanges);
  if (diff === undefined) return undefined;
  const found = withReplaceOnChanges(differenceOf(diff, state.inputs, inputs, state.ignoreChanges), state.replaceOnChanges, false);
  return asksReplacement(found) ? found.replaceKeys : undefined;
}

/**
 * The resources that must be replaced with `root`, in the state's order: dependencies before their dependents.
 * @param operatedOn registered in this run already, so that it cannot depend on what is replaced now
 */
export async function dependentReplacements(
  ctx: DeploymentContext,
  root: ResourceState,
  operatedOn: (urn: string) => boolean,
): Promise<DependentReplacement[]> {
  const gone = new Set([root.urn]);
  const found: DependentReplacement[] = [];
  const start = ctx.base.findIndex((r) => r.urn === root.urn && r.id === root.id && r.delete === root.delete);
  for (const state of ctx.base.slice(start + 1)) {
    if (state.delete || !state.custom || state.external || operatedOn(state.urn)) continue;
    const keys = (await forced(ctx, state, gone)) ?? (state.replaceWith.includes(root.urn) ? [] : undefined);
    if (keys === undefined) continue;
    gone.add(state.urn);
    found.push({ state, keys });
  }
  return found;
}

/**
 * Deletions that go before a replacement: of what cannot live without the resource, then of itself.
 * @param run `deleted` gets the URNs, with the keys that force the deletion
 * @throws DeploymentError where one of them is protected
 */
export async function deletionsFirst(
  ctx: DeploymentContext,
  urn: string,
  old: ResourceState,
  run: { registered: ReadonlyMap<string, unknown>; deleted: Map<string, string[]> },
): Promise<Step[]> {
  const going: ResourceState[] = [];
  for (const { state, keys } of (await dependentReplacements(ctx, old, (other) => run.registered.has(other))).reverse()) {
    if (run.deleted.has(state.urn)) continue;
    if (state.protect) {
      throw new DeploymentError(
        `unable to replace resource "${state.urn}" as part of replacing "${urn}" as it is currently marked for protection. To unprotect the resource, remove the \`protect\` flag from the resource in your Pulumi program and run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${state.urn}'\``,
        urn,
      );
    }
    run.deleted.set(state.urn, keys);
    ctx.foresight.forget(state.urn);
    going.push(state);
  }
  const gone = new Set([...run.deleted.keys(), old.urn]);
  // A resource that an interrupted run has deleted already only lacks its replacement.
  if (!old.pendingReplacement) going.push(old);
  return going.map((state) =>
    makeStep("delete-replaced", {
      urn: state.urn,
      type: state.type,
      old: state,
      provider: state.provider,
      keepsPending: true,
      withoutProvider:
        state.pendingReplacement ||
        state.retainOnDelete ||
        !state.custom ||
        isProviderType(state.type) ||
        (state.deletedWith !== undefined && gone.has(state.deletedWith)),
    }),
  );
}
