/** The stacks of the matrix in the form that the rest of the program reads. */
import type { PlatformOptions } from "../../components/platform/catalogue";
import type { App } from "../define/app";
import type { Stacks, VmDuty } from "../define/stacks";

/** A stack of the matrix. Its needs are names that are not resolved yet (plan/graph.ts does that). */
export interface LoadedStack {
  name: string;
  description: string;
  needs: readonly string[];
  /** Its VMs in the order of the matrix, with what each is for. */
  duties: ReadonlyMap<string, VmDuty>;
  /** Whether it prepares the Proxmox nodes. */
  preparesNodes: boolean;
  /** Whether every change must be approved. */
  production: boolean;
  backup: readonly string[] | undefined;
  /** Command that says whether its applications work, before `homelab promote` takes an image from it. */
  verify: readonly string[] | undefined;
  platform: PlatformOptions;
  apps: Readonly<Record<string, App>>;
}

/** What the orchestrator is told of a stack. */
interface StackFacts {
  name: string;
  needs: readonly string[];
  description: string;
  vms: string[];
  vault: boolean;
  production?: true;
  backup?: readonly string[];
}

export const stackFacts = (stack: LoadedStack): StackFacts => ({
  name: stack.name,
  needs: stack.needs,
  description: stack.description,
  vms: vmNames(stack),
  vault: stack.platform.vault !== undefined,
  ...(stack.production ? { production: true as const } : {}),
  ...(stack.backup === undefined ? {} : { backup: stack.backup }),
});

export const loadStacks = (all: Stacks): LoadedStack[] =>
  Object.entries(all).map(([name, { description, needs, vms, proxmox: prepares, production, backup, verify, platform, apps }]) => ({
    name,
    description,
    needs,
    duties: new Map(Object.entries(vms)),
    preparesNodes: prepares === true,
    production: production === true,
    backup,
    verify,
    platform,
    apps: apps ?? {},
  }));

export const vmNames = ({ duties }: Pick<LoadedStack, "duties">): string[] => [...duties.keys()];

/** The VM of a duty, wherever it is. */
export const vmOf = (all: readonly LoadedStack[], duty: VmDuty): string | undefined =>
  all.flatMap(({ duties }) => [...duties]).find(([, other]) => other === duty)?.[0];
