import type { HookBindings } from "../snapshot/types";
import type { PropertyMap, Value } from "../wire/values";

/** An alias as the program gives it; fields that it leaves out are empty. */
export interface GoalAlias {
  urn: string;
  name: string;
  type: string;
  project: string;
  stack: string;
  /** URN. */
  parent: string;
  noParent: boolean;
}

/** What the program wants of one resource: a registration with everything inherited and resolved. */
export interface Goal {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent: string | undefined;
  inputs: PropertyMap;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** Reference of the provider; undefined for components and providers. */
  provider: string | undefined;
  protect: boolean;
  /** Whether the program set it, on the resource or on an ancestor: a given `false` is inherited, too. */
  protectGiven: boolean;
  retainOnDelete: boolean;
  retainGiven: boolean;
  deletedWith: string | undefined;
  replaceWith: string[];
  replacementTrigger: Value | undefined;
  deleteBeforeReplace: boolean | undefined;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  hideDiffs: string[];
  hooks: HookBindings;
  importId: string | undefined;
  customTimeouts: Record<string, number> | undefined;
  /** URNs under which an older state may be found, in order. */
  aliases: string[];
  /** As the program gave them. */
  givenAliases: GoalAlias[];
  sourcePosition: string | undefined;
}

export interface ReadGoal {
  urn: string;
  type: string;
  name: string;
  id: string;
  parent: string | undefined;
  inputs: PropertyMap;
  dependencies: string[];
  provider: string;
  additionalSecretOutputs: string[];
  aliases: string[];
  sourcePosition: string | undefined;
}
