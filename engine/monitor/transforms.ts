/**
 * Transforms: functions of the program that see each registration (or invoke) before the engine does, and may change it.
 * Order: a resource's own, its ancestors' from the nearest up, the stack's.
 */
import { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { fromStruct, toStruct } from "../wire/struct";
import { outputDependencies, type PropertyMap, withOutputDependencies, withOutputValues } from "../wire/values";
import type { Callbacks } from "./callbacks";

/** What the transforms of a registration may change of it. */
export interface Draft {
  inputs: PropertyMap;
  options: pb.TransformResourceOptions;
}

function optionsOf(request: pb.RegisterResourceRequest, provider: string | undefined): pb.TransformResourceOptions {
  const options = new pb.TransformResourceOptions();
  options.setImport(request.getImportid());
  options.setDependsOnList(request.getDependenciesList());
  if (request.hasProtect()) options.setProtect(request.getProtect() === true);
  options.setIgnoreChangesList(request.getIgnorechangesList());
  options.setReplaceOnChangesList(request.getReplaceonchangesList());
  options.setReplacementTrigger(request.getReplacementTrigger());
  options.setVersion(request.getVersion());
  const fromUrns = request.getAliasurnsList().map((urn) => new Alias().setUrn(urn));
  options.setAliasesList([...fromUrns, ...request.getAliasesList()]);
  options.setProvider(provider ?? "");
  request.getProvidersMap().forEach((reference: string, name: string) => {
    options.getProvidersMap().set(name, reference);
  });
  options.setHideDiffList(request.getHidediffsList());
  options.setCustomTimeouts(request.getCustomtimeouts());
  options.setPluginDownloadUrl(request.getPlugindownloadurl());
  if (request.hasRetainondelete()) options.setRetainOnDelete(request.getRetainondelete() === true);
  options.setDeletedWith(request.getDeletedwith());
  options.setReplaceWithList(request.getReplaceWithList());
  if (request.getDeletebeforereplacedefined() || request.getDeletebeforereplace()) options.setDeleteBeforeReplace(request.getDeletebeforereplace());
  options.setAdditionalSecretOutputsList(request.getAdditionalsecretoutputsList());
  options.setHooks(request.getHooks());
  return options;
}

/** Writes what the transforms made of the options into the request. */
function applyOptions(request: pb.RegisterResourceRequest, options: pb.TransformResourceOptions): void {
  request.setImportid(options.getImport());
  if (options.hasProtect()) request.setProtect(options.getProtect() === true);
  else request.clearProtect();
  request.setIgnorechangesList(options.getIgnoreChangesList());
  request.setReplaceonchangesList(options.getReplaceOnChangesList());
  request.setReplacementTrigger(options.getReplacementTrigger());
  request.setVersion(options.getVersion());
  request.setAliasurnsList([]);
  request.setAliasesList(options.getAliasesList());
  request.setProvider(options.getProvider());
  request.getProvidersMap().clear();
  options.getProvidersMap().forEach((reference: string, name: string) => {
    request.getProvidersMap().set(name, reference);
  });
  request.setHidediffsList(options.getHideDiffList());
  request.setCustomtimeouts(options.getCustomTimeouts());
  request.setPlugindownloadurl(options.getPluginDownloadUrl());
  if (options.hasRetainOnDelete()) request.setRetainondelete(options.getRetainOnDelete() === true);
  else request.clearRetainondelete();
  request.setDeletedwith(options.getDeletedWith());
  request.setReplaceWithList(options.getReplaceWithList());
  request.setDeletebeforereplacedefined(options.hasDeleteBeforeReplace());
  request.setDeletebeforereplace(options.getDeleteBeforeReplace() === true);
  request.setAdditionalsecretoutputsList(options.getAdditionalSecretOutputsList());
  request.setHooks(options.getHooks());
}

function setPropertyDependencies(request: pb.RegisterResourceRequest, dependencies: Record<string, string[]>): void {
  const map = request.getPropertydependenciesMap();
  map.clear();
  for (const [key, urns] of Object.entries(dependencies)) map.set(key, new pb.RegisterResourceRequest.PropertyDependencies().setUrnsList(urns));
}

export class Transforms {
  readonly #stack: Callback[] = [];
  readonly #invokes: Callback[] = [];
  readonly #own = new Map<string, Callback[]>();
  readonly #parents = new Map<string, string | undefined>();
  /** Transforms of components that a plugin makes. They apply to the registration that the plugin then sends. */
  readonly #pending = new Map<string, Callback[]>();

  constructor(private readonly callbacks: Callbacks) {}

  addStack(callback: Callback): void {
    this.#stack.push(callback);
  }

  addInvoke(callback: Callback): void {
    this.#invokes.push(callback);
  }

  /**
   * Runs all transforms of a registration and writes what they made of it into the request.
   * @param provider the provider that the resource would get without them, where one is named for it
   * @returns the resource's own transforms, to be kept with {@link keep}
   */
  async apply(request: pb.RegisterResourceRequest, parent: string | undefined, provider: string | undefined): Promise<Callback[]> {
    const key = `${parent ?? ""}::${request.getType()}::${request.getName()}`;
    const waiting = this.#pending.get(key);
    this.#pending.delete(key);
    const own = waiting ?? request.getTransformsList();
    if (waiting === undefined && request.getRemote() && own.length > 0) this.#pending.set(key, own);
    const all = [...own, ...this.#ancestors(parent), ...this.#stack];
    if (all.length === 0) return own;
    const given = this.#dependencies(request);
    const ownGiven = request.getTransformsList().length > 0;
    let inputs = withOutputValues(fromStruct(request.getObject()));
    if (ownGiven) inputs = withOutputDependencies(inputs, given);
    let draft: Draft = { inputs, options: optionsOf(request, provider) };
    for (const callback of all) draft = await this.#one(callback, request, parent, draft);
    request.setObject(toStruct(draft.inputs));
    applyOptions(request, draft.options);
    const found = Object.entries(draft.inputs).map(([name, value]): [string, string[]] => [name, outputDependencies(value)]);
    if (ownGiven) {
      request.setDependenciesList([...new Set([...draft.options.getDependsOnList(), ...found.flatMap(([, urns]) => urns)])]);
      setPropertyDependencies(request, Object.fromEntries(found));
    } else setPropertyDependencies(request, Object.fromEntries(found.map(([name, urns]) => [name, [...new Set([...(given[name] ?? []), ...urns])]])));
    return own;
  }

  #ancestors(parent: string | undefined): Callback[] {
    const found: Callback[] = [];
    for (let urn = parent; urn !== undefined; urn = this.#parents.get(urn)) found.push(...(this.#own.get(urn) ?? []));
    return found;
  }

  #dependencies(request: pb.RegisterResourceRequest): Record<string, string[]> {
    const map = request.getPropertydependenciesMap();
    const found: Record<string, string[]> = {};
    if (map.getLength() === 0 && !request.getRemote()) {
      for (const key of Object.keys(fromStruct(request.getObject()))) found[key] = request.getDependenciesList();
    }
    map.forEach((value: pb.RegisterResourceRequest.PropertyDependencies, key: string) => {
      found[key] = value.getUrnsList();
    });
    return found;
  }

  async #one(callback: Callback, request: pb.RegisterResourceRequest, parent: string | undefined, draft: Draft): Promise<Draft> {
    const ask = new pb.TransformRequest();
    ask.setType(request.getType());
    ask.setName(request.getName());
    ask.setCustom(request.getCustom());
    ask.setParent(parent ?? "");
    ask.setProperties(toStruct(draft.inputs));
    ask.setOptions(draft.options);
    const reply = pb.TransformResponse.deserializeBinary(await this.callbacks.call(callback, ask.serializeBinary()));
    const properties = reply.getProperties();
    return { inputs: properties === undefined ? draft.inputs : fromStruct(properties), options: reply.getOptions() ?? draft.options };
  }

  /** Remembers a resource that was registered: its transforms apply to its descendants. */
  keep(urn: string, parent: string | undefined, own: Callback[]): void {
    this.#parents.set(urn, parent);
    this.#own.set(urn, own);
  }

  /** Runs the stack's invoke transforms. */
  async applyInvoke(
    token: string,
    given: { args: PropertyMap; options: pb.TransformInvokeOptions },
  ): Promise<{ args: PropertyMap; options: pb.TransformInvokeOptions }> {
    let { args, options } = given;
    for (const callback of this.#invokes) {
      const ask = new pb.TransformInvokeRequest();
      ask.setToken(token);
      ask.setArgs(toStruct(args));
      ask.setOptions(options);
      const reply = pb.TransformInvokeResponse.deserializeBinary(await this.callbacks.call(callback, ask.serializeBinary()));
      const changed = reply.getArgs();
      if (changed !== undefined) args = fromStruct(changed);
      options = reply.getOptions() ?? options;
    }
    return { args, options };
  }
}
