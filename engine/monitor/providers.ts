/** Chooses the provider of a registration, a read or an invoke (engine-contract C4, E1). */
import type { DeploymentRequest } from "../contracts";
import { DeploymentError } from "../errors";
import { BUILTIN_PACKAGE } from "../providers/builtin";
import { makeUrn, PROVIDER_PREFIX, packageOf } from "../wire/urn";
import { makeSecret, type PropertyMap } from "../wire/values";
import type { Goal } from "./goal";
import type { Registered } from "./registration";

export interface PackageWish {
  name: string;
  version: string;
  url: string;
}

/** `default`, or with the version and download URL that were asked for, in letters that a name may have; no part between slashes is empty. */
function defaultName(wish: PackageWish): string {
  const version = wish.version === "" ? "" : `_${wish.version.replace(/[.+-]/g, "_")}`;
  const name = `default${version}${wish.url === "" ? "" : `_${wish.url}`}`;
  return name
    .split("/")
    .filter((part) => part !== "")
    .map((part) => part.replace(/[^A-Za-z0-9_.-]/g, "_"))
    .join("/");
}

function defaultInputs(request: DeploymentRequest, wish: PackageWish): PropertyMap {
  const inputs: PropertyMap = {};
  const secret = new Set(request.config.secretKeys);
  for (const [key, value] of Object.entries(request.config.values)) {
    const own = key.startsWith(`${wish.name}:`);
    // Dynamic providers get the whole configuration of the stack, with full keys.
    if (wish.name !== "pulumi-nodejs" && !own) continue;
    inputs[own && wish.name !== "pulumi-nodejs" ? key.slice(wish.name.length + 1) : key] = secret.has(key) ? makeSecret(value) : value;
  }
  if (wish.version !== "") inputs["version"] = wish.version;
  if (wish.url !== "") inputs["__internal"] = { pluginDownloadURL: wish.url };
  else if (wish.version !== "") inputs["__internal"] = {};
  return inputs;
}

/** The goal of a default provider: no parent, no options. */
function defaultProviderGoal(request: DeploymentRequest, wish: PackageWish): Goal {
  const type = `${PROVIDER_PREFIX}${wish.name}`;
  const name = defaultName(wish);
  return {
    urn: makeUrn(request.stack, request.project.name, undefined, type, name),
    type,
    name,
    custom: true,
    parent: undefined,
    inputs: defaultInputs(request, wish),
    dependencies: [],
    propertyDependencies: {},
    provider: undefined,
    protect: false,
    protectGiven: false,
    retainOnDelete: false,
    retainGiven: false,
    deletedWith: undefined,
    replaceWith: [],
    replacementTrigger: undefined,
    deleteBeforeReplace: undefined,
    ignoreChanges: [],
    replaceOnChanges: [],
    additionalSecretOutputs: [],
    hideDiffs: [],
    hooks: {},
    importId: undefined,
    customTimeouts: undefined,
    aliases: [],
    givenAliases: [],
    sourcePosition: undefined,
  };
}

/** Default providers of one run, each registered once and on demand. */
export class DefaultProviders {
  readonly #known = new Map<string, Promise<string>>();

  /** @param register registers the goal like any resource and resolves with its reference */
  constructor(
    private readonly request: DeploymentRequest,
    private readonly register: (goal: Goal) => Promise<string>,
  ) {}

  get(wish: PackageWish, forUrn: string): Promise<string> {
    const disabled: unknown = JSON.parse(this.request.config.values["pulumi:disable-default-providers"] ?? "[]");
    // The engine itself is no default provider.
    if (wish.name !== BUILTIN_PACKAGE && Array.isArray(disabled) && (disabled.includes("*") || disabled.includes(wish.name))) {
      return Promise.reject(new DeploymentError(`Default provider for '${wish.name}' disabled. '${forUrn}' must use an explicit provider.`, forUrn));
    }
    const goal = defaultProviderGoal(this.request, wish);
    const known = this.#known.get(goal.name + wish.name);
    if (known !== undefined) return known;
    const registering = this.register(goal);
    this.#known.set(goal.name + wish.name, registering);
    return registering;
  }

  /** The provider of Pulumi's own types and functions. It is only registered: the engine itself answers for it. */
  builtin(): Promise<string> {
    return this.get({ name: BUILTIN_PACKAGE, version: "", url: "" }, "");
  }
}

/** The provider that the program names: explicitly, in the resource's own map, or in that of the parent component. */
export function namedProvider(type: string, explicit: string, own: ReadonlyMap<string, string>, parent: Registered | undefined): string | undefined {
  if (explicit !== "") return explicit;
  const name = packageOf(type);
  return own.get(name) ?? parent?.providers.get(name);
}

export const isBuiltin = (token: string): boolean => packageOf(token) === BUILTIN_PACKAGE;
