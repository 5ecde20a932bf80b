/** What each kind of step does to the world and to the state. */

import { UNKNOWN } from "../../common/signatures";
import { StepFailed } from "../errors";
import type { HookFacts } from "../monitor/hooks";
import type { Provider } from "../providers/builtin";
import { ProviderError } from "../providers/provider-error";
import { newProviderId } from "../providers/registry";
import { BrokenState } from "../snapshot/manager";
import type { HookType, PendingKind, ResourceState } from "../snapshot/types";
import type { Step } from "../steps/step";
import { isProviderType, urnName } from "../wire/urn";
import { annotateSecrets, isUnknown, markSecretOutputs, type PropertyMap, sameValue } from "../wire/values";
import type { DeploymentContext } from "./context";
import { applyRefresh } from "./refresh";

const refOf = (step: Step) => ({ urn: step.urn, type: step.type, name: urnName(step.urn) });

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`a step without ${what}`);
  return value;
}

async function clientOf(ctx: DeploymentContext, step: Step): Promise<Provider> {
  return ctx.registry.get(required(step.provider, "provider"));
}

/** The outputs, with those marked that must be secret. */
const finish = (outputs: PropertyMap, state: ResourceState): PropertyMap => markSecretOutputs(outputs, state.inputs, state.additionalSecretOutputs);

/** Runs `work` with a pending operation in the state. A failure removes it, unless the operation may have taken effect. */
async function noted<T>(ctx: DeploymentContext, type: PendingKind, resource: ResourceState, work: (pending: number | undefined) => Promise<T>): Promise<T> {
  if (ctx.preview) return work(undefined);
  const pending = ctx.state.begin({ resource, type });
  let keep = false;
  try {
    // The pending operation must be durable before the provider is called.
    await ctx.state.durable();
    const result = await work(pending);
    keep = true;
    return result;
  } catch (thrown) {
    // It is unknown whether the operation took effect: it stays pending, so that a resource that may exist is not lost.
    if (thrown instanceof ProviderError && thrown.inDoubt && type !== "reading") keep = true;
    // The operation took effect, and the state has no entry for its result: the pending operation records it.
    if (thrown instanceof BrokenState) keep = true;
    throw thrown;
  } finally {
    if (!keep) ctx.state.abandon(pending);
  }
}

/** Runs hooks after a step that succeeded. If one fails, the run fails, and the step still counts as done. */
export async function runAfterHooks(ctx: DeploymentContext, type: HookType, facts: HookFacts): Promise<void> {
  try {
    await ctx.hooks.run(type, facts);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    ctx.events.diagnostic("error", thrown.message, (facts.new ?? facts.old)?.urn);
    ctx.afterStepFailed();
  }
}

/** How often error hooks may have a call repeated, as in the CLI. */
const MAX_TRIES = 100;

/** Repeats a call while it fails and the resource's error hooks ask for another attempt. */
async function withErrorHooks<T>(ctx: DeploymentContext, operation: "create" | "update" | "delete", facts: HookFacts, call: () => Promise<T>): Promise<T> {
  const urn = (facts.new ?? facts.old)?.urn;
  const errors: string[] = [];
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      if (!(thrown instanceof ProviderError)) throw thrown;
      // The resource exists or may exist: another attempt would create a second one and lose the first.
      if (operation === "create" && (thrown.partial !== undefined || thrown.inDoubt)) throw thrown;
      errors.unshift(thrown.message);
      if (errors.length >= MAX_TRIES) {
        ctx.events.diagnostic("warning", `maximum number of error hook retries (${MAX_TRIES}) reached`, urn);
        throw thrown;
      }
      if (!(await ctx.hooks.retries(facts, operation, errors))) throw thrown;
      ctx.events.diagnostic("warning", `retrying ${operation} due to on-error hook request (${errors.length}/${MAX_TRIES})`, urn);
    }
  }
}

/** Reports that a step is done. For components this comes later, with their outputs, except in a preview. */
function done(ctx: DeploymentContext, step: Step): void {
  if (step.new?.custom !== false || ctx.preview) ctx.events.finished(step);
  ctx.events.count(step);
}

async function applySame(ctx: DeploymentContext, step: Step): Promise<void> {
  if (step.skippedCreate) return done(ctx, step);
  const old = required(step.old, "old state");
  const state = required(step.new, "new state");
  if (step.untargeted) {
    // Resources that it refers to may have been renamed during this run.
    const { parent, provider, dependencies, propertyDependencies, deletedWith, replaceWith } = ctx.settlement.current(old);
    Object.assign(state, { parent, provider, dependencies, propertyDependencies, deletedWith, replaceWith });
  }
  state.id = old.id;
  if (!isProviderType(state.type) || step.untargeted) state.outputs = finish(old.outputs, state);
  state.created = old.created;
  state.modified = old.modified;
  state.initErrors = old.initErrors;
  if (step.keepsPlace) ctx.settlement.change(ctx.settlement.current(old), state);
  else ctx.settlement.succeed(old, state);
  // An unchanged provider is configured with the inputs of the previous state.
  if (isProviderType(step.type) && !step.untargeted) await ctx.registry.keep(step.urn, required(state.id, "id"), old.inputs);
  done(ctx, step);
}

async function createWithProvider(ctx: DeploymentContext, step: Step, state: ResourceState, settle: (pending: number | undefined) => void): Promise<void> {
  await noted(ctx, "creating", { ...state, id: undefined, outputs: {}, created: undefined, modified: undefined }, async (pending) => {
    const client = await clientOf(ctx, step);
    if (!client.configured) {
      state.id = UNKNOWN;
      state.outputs = {};
      return settle(pending);
    }
    try {
      const create = () => client.create(refOf(step), state.inputs, state.customTimeouts?.["create"] ?? 0, ctx.preview);
      const { id, properties } = await withErrorHooks(ctx, "create", { old: undefined, new: state, newInputs: state.inputs }, create);
      if (id === "" && !ctx.preview) throw new StepFailed("provider did not return an ID from Create");
      state.id = id === "" ? UNKNOWN : id;
      state.outputs = finish(properties, state);
    } catch (thrown) {
      if (!(thrown instanceof ProviderError) || thrown.partial === undefined) throw thrown;
      state.id = thrown.partial.id;
      state.outputs = finish(thrown.partial.properties, state);
      state.initErrors = thrown.partial.reasons;
      settle(pending);
      throw thrown;
    }
    state.created = state.modified = ctx.now();
    settle(pending);
  });
}

async function applyCreate(ctx: DeploymentContext, step: Step): Promise<void> {
  const state = required(step.new, "new state");
  const settle = (pending: number | undefined): void => {
    if (step.old !== undefined && step.keepsOld) ctx.settlement.replaceFirst(step.old, state, pending);
    else ctx.settlement.succeed(step.old, state, pending);
  };
  const facts: HookFacts = { old: undefined, new: state, newInputs: state.inputs };
  await ctx.hooks.run("BeforeCreate", { ...facts, new: { ...state, id: undefined } });
  state.created = state.modified = ctx.now();
  if (!state.custom) settle(undefined);
  else if (isProviderType(step.type)) {
    if (step.op === "create-replacement") state.id = newProviderId(ctx.preview);
    await ctx.registry.configure(step.urn, required(state.id, "id"), state.inputs);
    settle(undefined);
  } else await createWithProvider(ctx, step, state, settle);
  // The hooks of a component run when its outputs are registered.
  if (state.custom) await runAfterHooks(ctx, "AfterCreate", { ...facts, newOutputs: state.outputs });
  done(ctx, step);
}

async function applyUpdate(ctx: DeploymentContext, step: Step): Promise<void> {
  const old = required(step.old, "old state");
  const state = required(step.new, "new state");
  state.id = old.id;
  state.created = old.created;
  const facts: HookFacts = { old, new: state, newInputs: state.inputs, oldInputs: old.inputs, oldOutputs: old.outputs };
  await ctx.hooks.run("BeforeUpdate", facts);
  if (!state.custom) {
    state.outputs = old.outputs;
    ctx.settlement.succeed(old, state);
    return done(ctx, step);
  }
  state.modified = ctx.now();
  if (isProviderType(step.type)) {
    await ctx.registry.configure(step.urn, required(state.id, "id"), state.inputs);
    ctx.settlement.succeed(old, state);
    await runAfterHooks(ctx, "AfterUpdate", { ...facts, newOutputs: state.outputs });
    return done(ctx, step);
  }
  await noted(ctx, "updating", { ...state, outputs: old.outputs }, async (pending) => {
    const client = await clientOf(ctx, step);
    if (client.configured) {
      try {
        const options = { timeout: state.customTimeouts?.["update"] ?? 0, ignore: step.ignoreChanges, preview: ctx.preview };
        const update = () => client.update(refOf(step), required(old.id, "id"), old, state.inputs, options);
        state.outputs = finish(await withErrorHooks(ctx, "update", facts, update), state);
      } catch (thrown) {
        if (!(thrown instanceof ProviderError) || thrown.partial === undefined) throw thrown;
        // The existing resource was not created with the new inputs, so the update is attempted again.
        state.outputs = finish(thrown.partial.properties, state);
        state.inputs = old.inputs;
        state.initErrors = thrown.partial.reasons;
        ctx.settlement.succeed(old, state, pending);
        throw thrown;
      }
    } else state.outputs = {};
    ctx.settlement.succeed(old, state, pending);
  });
  await runAfterHooks(ctx, "AfterUpdate", { ...facts, newOutputs: state.outputs });
  done(ctx, step);
}

async function applyDelete(ctx: DeploymentContext, step: Step): Promise<void> {
  const old = ctx.settlement.current(required(step.old, "old state"));
  const facts: HookFacts = { old, new: undefined, oldInputs: old.inputs, oldOutputs: old.outputs };
  const hooked = step.op !== "remove-pending-replace";
  if (hooked) await ctx.hooks.run("BeforeDelete", facts);
  if (step.protected) {
    throw new StepFailed(
      `resource "${step.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the \`protect\` flag from the resource in your Pulumi program and run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${step.urn}'\``,
    );
  }
  const leave = (pending: number | undefined): void => {
    if (step.keepsPending) ctx.settlement.markPendingReplacement(old, pending);
    else ctx.state.settle({ ends: pending, remove: [old] });
  };
  if (step.withoutProvider || ctx.preview) leave(undefined);
  else {
    await noted(ctx, "deleting", old, async (pending) => {
      const client = await clientOf(ctx, step);
      await withErrorHooks(ctx, "delete", facts, () => client.delete(refOf(step), required(old.id, "id"), old, old.customTimeouts?.["delete"] ?? 0));
      leave(pending);
    });
  }
  if (hooked) await runAfterHooks(ctx, "AfterDelete", facts);
  ctx.events.finished(step);
  ctx.events.count(step);
}

async function applyRead(ctx: DeploymentContext, step: Step): Promise<void> {
  const state = required(step.new, "new state");
  const id = required(state.id, "id");
  const { old } = step;
  const settle = (pending: number | undefined): void => {
    state.created = old?.created;
    state.modified = old !== undefined && !(sameValue(old.outputs, state.outputs) && sameValue(old.inputs, state.inputs)) ? ctx.now() : old?.modified;
    if (old !== undefined && step.op === "read-replacement") ctx.settlement.replaceFirst(old, state, pending);
    else ctx.settlement.succeed(old, state, pending);
  };
  await noted(ctx, "reading", state, async (pending) => {
    if (isUnknown(id)) state.outputs = {};
    else {
      const client = await clientOf(ctx, step);
      if (client.configured) {
        try {
          const found = await client.read(refOf(step), id, state.inputs, state.inputs);
          if (found === undefined) throw new StepFailed(`resource '${id}' does not exist`);
          state.id = found.id;
          state.outputs = finish(found.outputs, state);
        } catch (thrown) {
          if (!(thrown instanceof ProviderError) || thrown.partial === undefined) throw thrown;
          state.id = thrown.partial.id || id;
          state.outputs = finish(thrown.partial.properties, state);
          state.initErrors = thrown.partial.reasons;
          settle(pending);
          throw thrown;
        }
      }
    }
    settle(pending);
  });
  ctx.events.finished(step);
  if (old !== undefined && !sameValue(old.outputs, state.outputs)) ctx.events.count(step);
}

async function readForImport(ctx: DeploymentContext, step: Step, id: string) {
  const client = await clientOf(ctx, step);
  try {
    const found = await client.read(refOf(step), id, undefined, undefined);
    return found && { ...found, initErrors: [] };
  } catch (thrown) {
    if (!(thrown instanceof ProviderError) || thrown.partial === undefined) throw thrown;
    const { id: partialId, properties, inputs, reasons } = thrown.partial;
    return { id: partialId || id, outputs: properties, inputs, initErrors: reasons };
  }
}

async function applyImport(ctx: DeploymentContext, step: Step): Promise<void> {
  const state = required(step.new, "new state");
  const id = required(state.id, "id");
  await noted(ctx, "importing", state, async (pending) => {
    const found = await readForImport(ctx, step, id);
    if (found === undefined) throw new StepFailed(`resource '${id}' does not exist`);
    if (found.inputs === undefined)
      throw new StepFailed(`provider does not support importing resources; please try updating the '${step.type.split(":")[0]}' plugin`);
    state.id = found.id;
    // The provider did not see the program's inputs. What is secret in them is marked in its answer, too.
    state.inputs = annotateSecrets(found.inputs, state.inputs);
    state.outputs = finish(found.outputs, state);
    state.initErrors = found.initErrors;
    state.created = state.modified = ctx.now();
    if (step.op === "import-replacement" && step.old !== undefined) ctx.settlement.replaceFirst(step.old, state, pending);
    else ctx.settlement.succeed(step.old, state, pending);
  });
  done(ctx, step);
}

/** Carries one step out; resolves when the state has it. */
export async function applyStep(ctx: DeploymentContext, step: Step): Promise<void> {
  if (step.new?.additionalSecretOutputs.includes("id"))
    ctx.events.diagnostic("warning", "The 'id' property cannot be made secret. See pulumi/pulumi#2717 for more details.", step.urn);
  switch (step.op) {
    case "same":
      return applySame(ctx, step);
    case "create":
    case "create-replacement":
      return applyCreate(ctx, step);
    case "update":
      return applyUpdate(ctx, step);
    case "replace":
      // This step only reports that the create and the delete of a resource are one replacement.
      ctx.events.finished(step);
      ctx.events.count(step);
      return;
    case "delete":
    case "delete-replaced":
    case "discard":
    case "discard-replaced":
    case "remove-pending-replace":
      return applyDelete(ctx, step);
    case "read":
    case "read-replacement":
      return applyRead(ctx, step);
    case "import":
    case "import-replacement":
      return applyImport(ctx, step);
    case "refresh":
      return applyRefresh(ctx, step);
  }
}
