/** Resource hooks and error hooks: functions of the program that run around the steps of the resources that name them. */
import { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { DeploymentError, StepFailed } from "../errors";
import type { HookBindings, HookType, ResourceState } from "../snapshot/types";
import { toStruct } from "../wire/struct";
import { urnName } from "../wire/urn";
import type { PropertyMap } from "../wire/values";
import type { Callbacks } from "./callbacks";
import { formatDuration } from "./durations";

interface ResourceHook {
  callback: Callback;
  onDryRun: boolean;
  ignoreErrors: boolean;
}

/** What a hook receives: the inputs and outputs that exist at the moment of its call. */
export interface HookFacts {
  old: ResourceState | undefined;
  new: ResourceState | undefined;
  newInputs?: PropertyMap;
  oldInputs?: PropertyMap;
  newOutputs?: PropertyMap;
  oldOutputs?: PropertyMap;
}

/**
 * Hooks are functions of the program. Without the program, a resource with hooks for its deletion is not deleted.
 * @param say takes a message for each such resource
 * @throws DeploymentError where there are any
 */
export function requireNoDeleteHooks(resources: readonly ResourceState[], say: (message: string, urn: string) => void): void {
  let hooked = false;
  for (const { urn, resourceHooks } of resources) {
    const names = [...(resourceHooks.BeforeDelete ?? []), ...(resourceHooks.AfterDelete ?? [])];
    if (names.length === 0) continue;
    hooked = true;
    say(
      `Resource has delete hooks registered, but the program is not running. Hooks: ${names.join(", ")}\nYou must run with the \`--run-program\` flag to use delete hooks during destroy.`,
      urn,
    );
  }
  if (hooked) throw new DeploymentError("");
}

function bindingMessage(bindings: HookBindings): pb.RegisterResourceRequest.ResourceHooksBinding | undefined {
  if (Object.keys(bindings).length === 0) return undefined;
  return new pb.RegisterResourceRequest.ResourceHooksBinding()
    .setBeforeCreateList(bindings.BeforeCreate ?? [])
    .setAfterCreateList(bindings.AfterCreate ?? [])
    .setBeforeUpdateList(bindings.BeforeUpdate ?? [])
    .setAfterUpdateList(bindings.AfterUpdate ?? [])
    .setBeforeDeleteList(bindings.BeforeDelete ?? [])
    .setAfterDeleteList(bindings.AfterDelete ?? [])
    .setOnErrorList(bindings.OnError ?? []);
}

/** @param alias the URN under which the state was found, where that was another */
function optionsOf(state: ResourceState | undefined, alias: string | undefined): pb.ResourceOptions | undefined {
  if (state === undefined) return undefined;
  const options = new pb.ResourceOptions();
  options.setDependsOnList(state.dependencies);
  options.setIgnoreChangesList(state.ignoreChanges);
  options.setReplaceOnChangesList(state.replaceOnChanges);
  options.setProvider(state.provider ?? "");
  options.setDeletedWith(state.deletedWith ?? "");
  options.setImport(state.importId ?? "");
  options.setHideDiffList(state.hideDiff);
  options.setReplaceWithList(state.replaceWith);
  options.setHooks(bindingMessage(state.resourceHooks));
  options.setParent(state.parent ?? "");
  options.setAdditionalSecretOutputsList(state.additionalSecretOutputs);
  options.setProtect(state.protect);
  options.setRetainOnDelete(state.retainOnDelete);
  if (alias !== undefined) options.setAliasesList([new Alias().setUrn(alias)]);
  const { customTimeouts } = state;
  if (customTimeouts !== undefined) {
    const timeouts = new pb.RegisterResourceRequest.CustomTimeouts();
    timeouts.setCreate(formatDuration(customTimeouts["create"] ?? 0));
    timeouts.setUpdate(formatDuration(customTimeouts["update"] ?? 0));
    timeouts.setDelete(formatDuration(customTimeouts["delete"] ?? 0));
    timeouts.setRead(formatDuration(customTimeouts["read"] ?? 0));
    options.setCustomTimeouts(timeouts);
  }
  return options;
}

const struct = (map: PropertyMap | undefined) => (map === undefined ? undefined : toStruct(map));
const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Fills the fields that both kinds of requests have. */
function fill<R extends pb.ResourceHookRequest | pb.ErrorHookRequest>(request: R, facts: HookFacts): R {
  const state = facts.new ?? facts.old;
  if (state === undefined) throw new Error("a hook without a resource");
  request.setUrn(state.urn);
  request.setId(state.id ?? "");
  request.setName(urnName(state.urn));
  request.setType(state.type);
  request.setNewInputs(struct(facts.newInputs));
  request.setOldInputs(struct(facts.oldInputs));
  request.setOldOutputs(struct(facts.oldOutputs));
  request.setOldOptions(optionsOf(facts.old, undefined));
  request.setNewOptions(optionsOf(facts.new, facts.old !== undefined && facts.old.urn !== facts.new?.urn ? facts.old.urn : undefined));
  return request;
}

export class Hooks {
  readonly #resource = new Map<string, ResourceHook>();
  readonly #error = new Map<string, Callback>();

  constructor(
    private readonly callbacks: Callbacks,
    private readonly preview: boolean,
    private readonly warn: (message: string, urn: string) => void,
  ) {}

  #requireNew(name: string): void {
    if (name === "") throw new DeploymentError("resource hook name cannot be empty");
    if (this.#resource.has(name) || this.#error.has(name)) throw new DeploymentError(`resource hook already registered for name ${JSON.stringify(name)}`);
  }

  /** @throws DeploymentError for a name that is taken */
  register(request: pb.RegisterResourceHookRequest): void {
    this.#requireNew(request.getName());
    const callback = request.getCallback();
    if (callback === undefined) throw new DeploymentError(`hook ${request.getName()} has no callback`);
    this.#resource.set(request.getName(), { callback, onDryRun: request.getOnDryRun(), ignoreErrors: request.getIgnoreErrors() });
  }

  /** @throws DeploymentError for a name that is taken */
  registerError(request: pb.RegisterErrorHookRequest): void {
    this.#requireNew(request.getName());
    const callback = request.getCallback();
    if (callback === undefined) throw new DeploymentError(`hook ${request.getName()} has no callback`);
    this.#error.set(request.getName(), callback);
  }

  /** Runs the hooks of one type that a resource names, in order. @throws StepFailed at the first that fails, unless it ignores errors */
  async run(type: HookType, facts: HookFacts): Promise<void> {
    const state = facts.new ?? facts.old;
    for (const name of state?.resourceHooks[type] ?? []) {
      const hook = this.#resource.get(name);
      if (hook === undefined) throw new StepFailed(`hook ${JSON.stringify(name)} was not registered`);
      if (this.preview && !hook.onDryRun) continue;
      const request = fill(new pb.ResourceHookRequest(), facts);
      request.setNewOutputs(struct(facts.newOutputs));
      const failure = await this.#ask(hook.callback, request);
      if (failure === undefined) continue;
      if (!hook.ignoreErrors) throw new StepFailed(`${type.startsWith("Before") ? "before" : "after"} hook ${JSON.stringify(name)} failed: ${failure}`);
      this.warn(`${type} hook ${JSON.stringify(name)} failed: ${failure}`, state?.urn ?? "");
    }
  }

  async #ask(callback: Callback, request: pb.ResourceHookRequest): Promise<string | undefined> {
    try {
      const reply = pb.ResourceHookResponse.deserializeBinary(await this.callbacks.call(callback, request.serializeBinary()));
      return reply.getError() || undefined;
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  /**
   * Whether the error hooks that a resource names ask for another try.
   * @param errors so far, newest first
   * @throws StepFailed where a hook itself fails
   */
  async retries(facts: HookFacts, operation: "create" | "update" | "delete", errors: readonly string[]): Promise<boolean> {
    let retry = false;
    for (const name of (facts.new ?? facts.old)?.resourceHooks.OnError ?? []) {
      const callback = this.#error.get(name);
      if (callback === undefined) throw new StepFailed(`error hooks execution failed: error hook ${JSON.stringify(name)} was not registered`);
      const request = fill(new pb.ErrorHookRequest(), facts);
      request.setFailedOperation(operation);
      request.setErrorsList([...errors]);
      const failed = (message: string): StepFailed => new StepFailed(`error hooks execution failed: error hook ${JSON.stringify(name)} failed: ${message}`);
      let reply: pb.ErrorHookResponse;
      try {
        reply = pb.ErrorHookResponse.deserializeBinary(await this.callbacks.call(callback, request.serializeBinary()));
      } catch (thrown) {
        throw failed(messageOf(thrown));
      }
      if (reply.getError() !== "") throw failed(reply.getError());
      retry ||= reply.getRetry();
    }
    return retry;
  }
}
