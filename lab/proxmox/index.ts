import type { LabContext, Stoppable } from "../core/world";
import { type ApiToken, startApi } from "./api";
import { emptyState, type Guests, type ProxmoxSite, type ProxmoxState, type Pve, restoredState } from "./model";
import { powerOn, resetVm } from "./power";
import { failCutTasks, tasksEnded } from "./tasks";

export type { GuestSpec, Guests, ProxmoxState } from "./model";

export interface Proxmox extends Stoppable {
  /** Plain data: VMs, volumes, tasks. */
  state(): ProxmoxState;
  /** What a person does on Proxmox's page. @returns false: no VM of this name runs */
  reset(name: string): Promise<boolean>;
  /** Resolves when no task runs any more. */
  settled(): Promise<void>;
  /** State as plain JSON, for the snapshot. */
  save(): unknown;
  /** @param before the site's facts when it was saved */
  restore(saved: unknown, before: ProxmoxSite): void;
  /** Starts the machines of the VMs that run, after a restore. */
  bootRunning(): void;
  /** After the site's facts have grown. */
  grown(before: ProxmoxSite): void;
}

/** The site's Proxmox cluster, with no VM. */
export async function startProxmox({ token, ...world }: { ctx: LabContext; site: ProxmoxSite; guests: Guests; token: ApiToken }): Promise<Proxmox> {
  const pve: Pve = { ...world, state: emptyState(world.site) };
  const api = await startApi(pve, token);
  return {
    stop: () => api.stop(),
    state: () => pve.state,
    reset: async (name) => {
      const vm = pve.state.vms.find(({ config, status }) => config["name"] === name && status === "running");
      if (vm === undefined) return false;
      await resetVm(pve, vm);
      return true;
    },
    settled: () => tasksEnded(pve),
    save: () => pve.state,
    restore: (saved, before) => {
      pve.state = restoredState(saved, pve.site, before);
      failCutTasks(pve);
    },
    grown: (before) => {
      pve.state = restoredState(pve.state, pve.site, before);
    },
    bootRunning: () => {
      for (const vm of pve.state.vms) if (vm.status === "running") powerOn({ pve }, vm);
    },
  };
}
