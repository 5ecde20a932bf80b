/** What is built from an estate: each stack's hosts, cluster, platform and applications, checked. Plain data; loads no Pulumi SDK. */

import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { OWN_AUTHORITY } from "../../common/vault-layout";
import type { VmSpec } from "../../components/hosts/vm-spec";
import type { StackGrant } from "../../components/platform/vault/vault-names";
import { entryKeys } from "../../secrets/load";
import type { ProxmoxSite } from "../define/nodes";
import type { Site } from "../define/site";
import type { Estate } from "../load/estate";
import type { StackConfig } from "../load/settings";
import { stackPlace } from "../load/source-lines";
import { type LoadedStack, vmOf } from "../load/stacks";
import { planApps } from "./apps";
import { validateGraph } from "./graph";
import { joiningNodes } from "./hosts/cluster-roles";
import { planRoles, secretPaths } from "./hosts/plan-roles";
import { clusterVmOf, type PlannedRole } from "./hosts/planned-role";
import type { PlannedApp } from "./planned-app";
import { hasModule, planPlatform } from "./platform";
import { platformInput } from "./platform-input";
import type { PlatformPlan } from "./platform-types";
import { checkReleased, isProtected } from "./protection";
import { PROXMOX_SECRET, PROXMOX_TOKEN_ID, SSH_PRIVATE_KEY } from "./secret-paths";
import { checkSenders } from "./senders";
import { type MadeStorage, madeStorages } from "./storages";
import { vaultGrants } from "./vault-grants";

/** The Proxmox nodes, where the stack prepares them. */
export interface NodePlan extends ProxmoxSite {
  storages: readonly MadeStorage[];
}

export interface StackPlan {
  stack: LoadedStack;
  config: StackConfig;
  site: Site;
  /** Its VMs in the order of the matrix. */
  vms: readonly VmSpec[];
  /** Names of its protected VMs, which nothing deletes. */
  protectedVms: ReadonlySet<string>;
  /** The VM that its cluster runs on. */
  clusterVm: string;
  /** VMs that join the cluster. */
  joining: readonly string[];
  /** Its VM that resolves names for the others. */
  nameServer: VmSpec | undefined;
  /** The roles of each host, by VM. */
  roles: ReadonlyMap<string, readonly PlannedRole[]>;
  /** The nodes that it prepares; undefined: another stack does. */
  nodes: NodePlan | undefined;
  /** The stack that has the templates of all nodes; its own name where it is that one. */
  templatesOf: string;
  /** The stack that Vault runs in; its own name where it is that one. */
  vaultOf: string;
  /** What every stack and its namespaces may do in Vault, where Vault runs in this one; else none. */
  grants: readonly StackGrant[];
  /** What runs in its cluster beside its applications. */
  platform: PlatformPlan;
  /** Full host names whose records its external-dns may write and delete, sorted: of its routes, and former ones. */
  hostNames: readonly string[];
  apps: readonly PlannedApp[];
  /** Entries of secrets/ that the program uses; it gets no others. `all`: it puts them into Vault. */
  secrets: readonly string[] | "all";
}

/** What exactly one stack does for all others. */
interface Service {
  /** Verb and object, of one stack and of two. */
  does: readonly [one: string, two: string];
  /** The entry in the stack's row of the matrix that makes it so. */
  by: string;
  isDoneBy: (stack: LoadedStack) => boolean;
}

const TEMPLATES: Service = {
  does: ["prepares the Proxmox nodes", "prepare the Proxmox nodes"],
  by: "proxmox: true",
  isDoneBy: ({ preparesNodes }) => preparesNodes,
};
const VAULT: Service = {
  does: ["has the module vault", "have the module vault"],
  by: 'the module "vault"',
  isDoneBy: ({ platform }) => platform.vault !== undefined,
};

/** The stack that does it. @throws HomelabError E_STACK_NEEDS where none does, two do, or the stack does not need the one */
function providerOf({ does, by, isDoneBy }: Service, { stacks, root }: Estate, stack: LoadedStack): string {
  const refusal = (message: string, hint: string): HomelabError =>
    new HomelabError("E_STACK_NEEDS", `${stackPlace(root, stack.name, "needs")}${message}`, { subject: stack.name, hint });
  const [first, second] = stacks.filter(isDoneBy);
  if (first === undefined) throw refusal(`no stack ${does[0]}`, `add ${by} to a stack`);
  if (second !== undefined) throw refusal(`the stacks "${first.name}" and "${second.name}" both ${does[1]}`, `take ${by} out of one of them`);
  if (first.name !== stack.name && !stack.needs.includes(first.name))
    throw refusal(`"${first.name}" ${does[0]}, and the stack "${stack.name}" does not need it`, `add "${first.name}" to its needs`);
  return first.name;
}

/** @throws HomelabError E_STACK_UNKNOWN with the nearest name */
export function stackOf({ stacks }: Pick<Estate, "stacks">, name: string): LoadedStack {
  const found = stacks.find((stack) => stack.name === name);
  if (found !== undefined) return found;
  const names = stacks.map((stack) => stack.name);
  const meant = nearest(name, names);
  throw new HomelabError("E_STACK_UNKNOWN", `there is no stack "${name}"`, {
    subject: name,
    hint: meant === undefined ? `the stacks are: ${names.join(", ")}` : `did you mean "${meant}"?`,
  });
}

type Platforms = ReadonlyMap<string, PlatformPlan>;

/**
 * Plans the platforms of stacks, each with its settings, when they are first asked for, and once.
 * @returns the platforms by stack; throws HomelabError E_STACK_NEEDS, E_PLATFORM, E_SECRET_COLLISION
 */
function platformPlanner(estate: Estate): (stacks: readonly LoadedStack[]) => Platforms {
  const made = new Map<string, PlatformPlan>();
  let keys: ReturnType<typeof entryKeys> | undefined;
  return (stacks) => {
    for (const stack of stacks) {
      if (made.has(stack.name)) continue;
      // A missing need of the stack is reported as such, and not by the modules that miss something because of it.
      for (const part of [TEMPLATES, VAULT]) providerOf(part, estate, stack);
      keys ??= entryKeys();
      made.set(stack.name, planPlatform(platformInput(estate, stack, settingsOf(estate, stack), keys)));
      checkSenders(estate, stack);
    }
    return made;
  };
}

function settingsOf({ settings }: Estate, { name }: LoadedStack): StackConfig {
  const config = settings.get(name);
  if (config === undefined) throw new Error(`the stack ${name} has no settings`);
  return config;
}

/**
 * The plan of one stack. Of other stacks only what it needs is planned.
 * @param estate with the stack's settings as a running program has them from the engine
 * @throws HomelabError where site, settings and matrix are wrong or contradict each other
 */
export function planStack(estate: Estate, stack: LoadedStack, platformsOf = platformPlanner(estate)): StackPlan {
  // The stack with Vault makes the policies for all stacks, so it needs all of their platforms.
  const all = stack.platform.vault !== undefined;
  return planOne(estate, stack, platformsOf(all ? estate.stacks : [stack]));
}

function planOne(estate: Estate, stack: LoadedStack, platforms: Platforms): StackPlan {
  const config = settingsOf(estate, stack);
  const vms = [...stack.duties.keys()].flatMap((vm) => estate.vms.get(vm) ?? []);
  checkReleased(stack.name, config, vms);
  const roles = planRoles({ stack, config, site: estate.site, stacks: estate.stacks, vms: estate.vms });
  const templatesOf = providerOf(TEMPLATES, estate, stack);
  const vaultOf = providerOf(VAULT, estate, stack);
  const platform = platforms.get(stack.name);
  if (platform === undefined) throw new Error(`the platform of ${stack.name} was not planned`);
  const apps = planApps(estate, stack, config, platform);
  const { domain } = estate.site;
  const former = (stack.platform["external-dns"]?.formerNames ?? []).map((name) => `${name}.${domain}`);
  const ofProgram = platform.modules.flatMap(({ parts }) => parts.programSecrets.map(({ path }) => path));
  const authority = platform.place.vaultByOwnAuthority ? [OWN_AUTHORITY] : [];
  const built = [PROXMOX_TOKEN_ID, PROXMOX_SECRET, SSH_PRIVATE_KEY, ...authority].map(({ path }) => path);
  const nameServer = vmOf([stack], "dns");
  return {
    stack,
    config,
    site: estate.site,
    vms,
    protectedVms: new Set(vms.filter((spec) => isProtected(spec, config)).map(({ name }) => name)),
    clusterVm: clusterVmOf(stack),
    joining: [...joiningNodes(config).keys()],
    nameServer: vms.find(({ name }) => name === nameServer),
    roles,
    nodes: stack.preparesNodes ? { ...estate.proxmox, storages: madeStorages(estate.proxmox.nodes) } : undefined,
    templatesOf,
    vaultOf,
    grants: vaultOf === stack.name ? vaultGrants(estate.stacks.flatMap(({ name }) => platforms.get(name) ?? [])) : [],
    platform,
    hostNames: [...platform.place.hostNames, ...former].toSorted(),
    apps,
    secrets: !hasModule(platform, "vault-entries") ? [...new Set([...built, ...ofProgram, ...secretPaths([...roles.values()].flat())])] : "all",
  };
}

/** @throws HomelabError E_HOST_NAME for a name that two stacks serve: name servers keep no owners of records */
function checkHostNames(plans: readonly StackPlan[]): void {
  const owners = new Map<string, string>();
  for (const { stack, hostNames } of plans) {
    for (const name of hostNames) {
      const other = owners.get(name);
      if (other !== undefined)
        throw new HomelabError("E_HOST_NAME", `the host name ${name} is served twice: by ${other} and by ${stack.name}`, {
          subject: stack.name,
          hint: "give one of them another name in site/stacks.ts",
        });
      owners.set(name, stack.name);
    }
  }
}

/** The plans of all stacks, by name, in the order of the matrix. @throws HomelabError as {@link planStack}; E_STACK_CYCLE, E_STACK_NEEDS */
export function planEstate(estate: Estate): Map<string, StackPlan> {
  validateGraph(estate.stacks, estate.root);
  const platforms = platformPlanner(estate)(estate.stacks);
  const plans = estate.stacks.map((stack) => planOne(estate, stack, platforms));
  checkHostNames(plans);
  return new Map(plans.map((plan) => [plan.stack.name, plan]));
}

/** Plans by the name of their stacks. */
export type Plans = Pick<ReadonlyMap<string, StackPlan>, "get">;

/**
 * The plans of these stacks, in this order, with those of all. Each is made when it is first asked for: what is wrong with a stack that
 * these take nothing of is reported by who plans it.
 * @throws HomelabError E_STACK_UNKNOWN, E_STACK_CYCLE, E_STACK_NEEDS, and as {@link planStack}; `plans` as {@link planStack}
 */
export function plansOf(estate: Estate, stacks: readonly string[]): { chosen: StackPlan[]; plans: Plans } {
  const wanted = stacks.map((name) => stackOf(estate, name));
  validateGraph(estate.stacks, estate.root);
  const made = new Map<string, StackPlan>();
  const platformsOf = platformPlanner(estate);
  const planned = (stack: LoadedStack): StackPlan => {
    const plan = made.get(stack.name) ?? planStack(estate, stack, platformsOf);
    made.set(stack.name, plan);
    return plan;
  };
  const get = (name: string): StackPlan | undefined => {
    const stack = estate.stacks.find((one) => one.name === name);
    return stack === undefined ? undefined : planned(stack);
  };
  return { chosen: wanted.map(planned), plans: { get } };
}

/** The plan of a stack, with those of all. @throws HomelabError as {@link plansOf} */
export function planOf(estate: Estate, stack: string): { plan: StackPlan; plans: Plans } {
  const { chosen, plans } = plansOf(estate, [stack]);
  const [plan] = chosen;
  if (plan === undefined) throw new Error(`${stack} has no plan`);
  return { plan, plans };
}
