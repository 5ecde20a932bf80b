/** Turns a RegisterResource message into a goal: parents, inherited options, aliases, timeouts. */
import type * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { DeploymentError } from "../errors";
import type { HookBindings } from "../snapshot/types";
import { withAssetHashes } from "../wire/assets";
import { fromStruct } from "../wire/struct";
import { isProviderType, makeUrn, packageOf, packageOfReference, STACK_TYPE } from "../wire/urn";
import { makeSecret, type PropertyMap, type Value } from "../wire/values";
import { aliasUrns } from "./aliases";
import { parseDuration } from "./durations";
import type { Goal, GoalAlias } from "./goal";

/** What the monitor knows of resources registered before. */
export interface Registered {
  goal: Goal;
  /** Providers that children of this resource use, by package. */
  providers: Map<string, string>;
}

export interface RegistrationFacts {
  stack: string;
  project: string;
  rootDir: string;
  /** Where the program runs: relative paths of assets begin there. */
  programDir: string;
  rootUrn: string | undefined;
  registered(urn: string): Registered | undefined;
  formerUrn(urn: string): string | undefined;
}

function timeouts(request: pb.RegisterResourceRequest): Record<string, number> | undefined {
  const given = request.getCustomtimeouts();
  if (given === undefined) return undefined;
  const found: Record<string, number> = {};
  for (const [kind, text] of Object.entries({ create: given.getCreate(), update: given.getUpdate(), delete: given.getDelete(), read: given.getRead() })) {
    if (text === "") continue;
    const seconds = parseDuration(text);
    if (seconds === undefined) throw new DeploymentError(`unable to parse customTimeout Value ${text} for ${kind}: it is no duration`);
    found[kind] = seconds;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

function hookBindings(given: pb.RegisterResourceRequest.ResourceHooksBinding | undefined): HookBindings {
  if (given === undefined) return {};
  const all: HookBindings = {
    BeforeCreate: given.getBeforeCreateList(),
    AfterCreate: given.getAfterCreateList(),
    BeforeUpdate: given.getBeforeUpdateList(),
    AfterUpdate: given.getAfterUpdateList(),
    BeforeDelete: given.getBeforeDeleteList(),
    AfterDelete: given.getAfterDeleteList(),
    OnError: given.getOnErrorList(),
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

function position(request: pb.RegisterResourceRequest, rootDir: string): string | undefined {
  const given = request.getSourceposition();
  if (given === undefined || !given.getUri().startsWith("file://")) return undefined;
  const file = decodeURI(given.getUri().slice("file://".length));
  if (!file.startsWith(`${rootDir}/`)) return undefined;
  return `project:///${file.slice(rootDir.length + 1)}#${given.getLine()}${given.getColumn() > 0 ? `,${given.getColumn()}` : ""}`;
}

function dependencies(request: pb.RegisterResourceRequest, inputs: PropertyMap): Record<string, string[]> {
  const map = request.getPropertydependenciesMap();
  if (map.getLength() === 0) return Object.fromEntries(Object.keys(inputs).map((key) => [key, request.getDependenciesList()]));
  const found: Record<string, string[]> = {};
  map.forEach((value: pb.RegisterResourceRequest.PropertyDependencies, key: string) => {
    found[key] = value.getUrnsList();
  });
  return found;
}

/** The replacement trigger; null is the same as none. */
function trigger(request: pb.RegisterResourceRequest): Value | undefined {
  const given = request.getReplacementTrigger();
  if (given === undefined) return undefined;
  const value: Value = given.toJavaScript();
  return value === null ? undefined : value;
}

function givenAliases(request: pb.RegisterResourceRequest): GoalAlias[] {
  const none: GoalAlias = { urn: "", name: "", type: "", project: "", stack: "", parent: "", noParent: false };
  const specs = request.getAliasesList().map((alias): GoalAlias => {
    const spec = alias.getSpec();
    if (spec === undefined) return { ...none, urn: alias.getUrn() };
    const [project, stack] = [spec.getProject(), spec.getStack()];
    return { urn: "", name: spec.getName(), type: spec.getType(), project, stack, parent: spec.getParenturn(), noParent: spec.getNoparent() };
  });
  return [...request.getAliasurnsList().map((urn) => ({ ...none, urn })), ...specs];
}

/** Writes into a request what it inherits of its parent. */
export function inherit(request: pb.RegisterResourceRequest, above: Goal | undefined): void {
  if (above === undefined) return;
  if (request.getDeletedwith() === "") request.setDeletedwith(above.deletedWith ?? "");
  if (!request.hasProtect() && above.protectGiven) request.setProtect(above.protect);
  if (!request.hasRetainondelete() && above.retainGiven) request.setRetainondelete(above.retainOnDelete);
  const custom = request.getCustom() || request.getRemote();
  if (request.getProvider() === "" && above.provider !== undefined && (!custom || packageOfReference(above.provider) === packageOf(request.getType())))
    request.setProvider(above.provider);
}

/** @param provider the chosen provider's reference; undefined for components and providers */
export function goalOf(request: pb.RegisterResourceRequest, facts: RegistrationFacts, provider: string | undefined): Goal {
  const [type, name] = [request.getType(), request.getName()];
  const parent = request.getParent() || (type === STACK_TYPE ? undefined : facts.rootUrn);
  const { stack, project } = facts;
  const urn = makeUrn(stack, project, parent, type, name);
  let inputs = withAssetHashes(fromStruct(request.getObject()), facts.programDir);
  if (isProviderType(type)) {
    const version = request.getVersion();
    const url = request.getPlugindownloadurl();
    if (version !== "" && inputs["version"] === undefined) inputs = { ...inputs, version };
    if (url !== "") inputs = { ...inputs, __internal: { pluginDownloadURL: url } };
    if (version !== "" && inputs["__internal"] === undefined) inputs = { ...inputs, __internal: {} };
  }
  for (const key of request.getAdditionalsecretoutputsList())
    if (inputs[key] !== undefined && isProviderType(type)) inputs = { ...inputs, [key]: makeSecret(inputs[key] ?? null) };
  return {
    urn,
    type,
    name,
    custom: request.getCustom(),
    parent,
    inputs,
    dependencies: request.getDependenciesList(),
    propertyDependencies: dependencies(request, inputs),
    provider,
    protect: request.getProtect() === true,
    protectGiven: request.hasProtect(),
    retainOnDelete: request.getRetainondelete() === true,
    retainGiven: request.hasRetainondelete(),
    deletedWith: request.getDeletedwith() || undefined,
    replaceWith: request.getReplaceWithList(),
    replacementTrigger: trigger(request),
    deleteBeforeReplace: request.getDeletebeforereplacedefined() || request.getDeletebeforereplace() ? request.getDeletebeforereplace() : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    hideDiffs: request.getHidediffsList(),
    hooks: hookBindings(request.getHooks()),
    importId: request.getImportid() || undefined,
    customTimeouts: timeouts(request),
    aliases: aliasUrns({ stack, project, type, name, parent }, request.getAliasesList(), request.getAliasurnsList(), facts.formerUrn),
    givenAliases: givenAliases(request),
    sourcePosition: position(request, facts.rootDir),
  };
}
