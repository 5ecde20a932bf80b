import type { LabContext } from "../core/world";
import type { Machine } from "./machine";

/** The running machines of each lab by their address: nodes of one cluster speak to each other. */
const machines = new WeakMap<LabContext, Map<string, Machine>>();

export function joinNeighbours(machine: Machine): void {
  const known = machines.get(machine.ctx) ?? new Map<string, Machine>();
  machines.set(machine.ctx, known.set(machine.spec.address, machine));
}

export function leaveNeighbours(machine: Machine): void {
  machines.get(machine.ctx)?.delete(machine.spec.address);
}

export const neighbourAt = (ctx: LabContext, address: string): Machine | undefined => machines.get(ctx)?.get(address);
