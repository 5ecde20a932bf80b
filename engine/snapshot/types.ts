import type { PropertyMap, Value } from "../wire/values";

/** When a hook runs; the names are those of the state file. */
export const HOOK_TYPES = ["BeforeCreate", "AfterCreate", "BeforeUpdate", "AfterUpdate", "BeforeDelete", "AfterDelete", "OnError"] as const;
export type HookType = (typeof HOOK_TYPES)[number];
/** Names of the hooks that are bound to a resource. */
export type HookBindings = Partial<Record<HookType, string[]>>;

/** One resource of a stack's state. Field by field what the state file holds (engine-contract, G3), values decoded. */
export interface ResourceState {
  urn: string;
  type: string;
  custom: boolean;
  /** Replaced, and pending deletion. */
  delete: boolean;
  id: string | undefined;
  inputs: PropertyMap;
  outputs: PropertyMap;
  parent: string | undefined;
  protect: boolean;
  taint: boolean;
  /** Read, not managed. */
  external: boolean;
  dependencies: string[];
  propertyDependencies: Record<string, string[]> | undefined;
  initErrors: string[];
  /** `<urn>::<id>` of the provider; undefined for components and providers. */
  provider: string | undefined;
  /** Deleted for a replacement that was not finished. */
  pendingReplacement: boolean;
  additionalSecretOutputs: string[];
  customTimeouts: Record<string, number> | undefined;
  importId: string | undefined;
  retainOnDelete: boolean;
  deletedWith: string | undefined;
  replaceWith: string[];
  /** A value whose change asks for a replacement; undefined where there is none. */
  replacementTrigger: Value | undefined;
  created: string | undefined;
  modified: string | undefined;
  sourcePosition: string | undefined;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  hideDiff: string[];
  resourceHooks: HookBindings;
  /** Fields that this engine does not know; kept as they were. */
  unknownFields: Record<string, Value>;
}

export type PendingKind = "creating" | "updating" | "deleting" | "reading" | "importing";

export interface PendingOperation {
  resource: ResourceState;
  type: PendingKind;
}

export interface Snapshot {
  resources: ResourceState[];
  pendingOperations: PendingOperation[];
}

/** A state with nothing set but what every resource has. */
export function emptyState(urn: string, type: string, custom: boolean): ResourceState {
  return {
    urn,
    type,
    custom,
    delete: false,
    id: undefined,
    inputs: {},
    outputs: {},
    parent: undefined,
    protect: false,
    taint: false,
    external: false,
    dependencies: [],
    propertyDependencies: undefined,
    initErrors: [],
    provider: undefined,
    pendingReplacement: false,
    additionalSecretOutputs: [],
    customTimeouts: undefined,
    importId: undefined,
    retainOnDelete: false,
    deletedWith: undefined,
    replaceWith: [],
    replacementTrigger: undefined,
    created: undefined,
    modified: undefined,
    sourcePosition: undefined,
    ignoreChanges: [],
    replaceOnChanges: [],
    hideDiff: [],
    resourceHooks: {},
    unknownFields: {},
  };
}

/** URNs that must stand before this resource in the state, and be deleted after it. */
export function needsOf(state: ResourceState): Set<string> {
  const needs = new Set<string>(state.dependencies);
  if (state.parent !== undefined) needs.add(state.parent);
  if (state.provider !== undefined) needs.add(state.provider.slice(0, state.provider.lastIndexOf("::")));
  for (const urns of Object.values(state.propertyDependencies ?? {})) for (const urn of urns) needs.add(urn);
  if (state.deletedWith !== undefined) needs.add(state.deletedWith);
  for (const urn of state.replaceWith) needs.add(urn);
  return needs;
}

/** As {@link needsOf}, without the provider. */
export function dependenciesOf(state: ResourceState): Set<string> {
  return needsOf({ ...state, provider: undefined });
}

/** The entry with every URN that it refers to put through `rename`. */
export function withRenamedReferences(state: ResourceState, rename: (urn: string) => string): ResourceState {
  const provider = state.provider === undefined ? undefined : state.provider.lastIndexOf("::");
  return {
    ...state,
    parent: state.parent === undefined ? undefined : rename(state.parent),
    dependencies: state.dependencies.map(rename),
    propertyDependencies:
      state.propertyDependencies && Object.fromEntries(Object.entries(state.propertyDependencies).map(([key, urns]) => [key, urns.map(rename)])),
    deletedWith: state.deletedWith === undefined ? undefined : rename(state.deletedWith),
    replaceWith: state.replaceWith.map(rename),
    provider: state.provider === undefined ? undefined : `${rename(state.provider.slice(0, provider))}${state.provider.slice(provider)}`,
  };
}
