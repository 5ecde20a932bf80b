import type { LabContext, Persistent, Stoppable } from "../core/world";
import { type ApiToken, startApi } from "./api";
import { emptyState, type Guests, type ProxmoxState, type Pve, stateSchema } from "./model";
import { powerOn } from "./power";
import { failCutTasks } from "./tasks";

export type { GuestSpec, Guests, ProxmoxState } from "./model";

export interface Proxmox extends Stoppable, Persistent {
  /** Plain data: VMs, volumes, tasks. */
  state(): ProxmoxState;
  /** Starts the machines of the VMs that run, after a restore. */
  bootRunning(): void;
}

/** The Proxmox cluster of three nodes, with no VM. */
export async function startProxmox(options: { ctx: LabContext; guests: Guests; token: ApiToken }): Promise<Proxmox> {
  const pve: Pve = { ctx: options.ctx, guests: options.guests, state: emptyState() };
  const api = await startApi(pve, options.token);
  return {
    stop: () => api.stop(),
    state: () => pve.state,
    save: () => pve.state,
    restore: async (saved) => {
      pve.state = stateSchema.parse(saved);
      failCutTasks(pve);
    },
    bootRunning: () => {
      for (const vm of pve.state.vms) if (vm.status === "running") powerOn({ pve }, vm);
    },
  };
}
