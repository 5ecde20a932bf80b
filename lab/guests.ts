import { asError } from "../common/errors";
import type { LabContext } from "./core/world";
import { contentSchema, type Disk, type Host, type HostState, type StartCluster, startHost } from "./hosts";
import type { GuestSpec, Guests } from "./proxmox";

/** The machines inside the VMs, with their disks. */
export interface GuestFleet extends Guests {
  hosts(): Host[];
  /** Resolves when nothing boots any more. */
  settled(): Promise<void>;
  /** Disks by VM number, of running machines as they are now; passed-through disks by their path on the node. */
  save(): Promise<Record<string, unknown>>;
  restore(disks: Record<string, unknown>): void;
  /** Power off everywhere; the disks stay for a last `save`. */
  stop(): Promise<void>;
}

export interface FleetOptions {
  ctx: LabContext;
  startCluster: StartCluster;
}

interface Slot {
  /** Counts power switches: a boot that was overtaken by another one ends. */
  turn: number;
  host?: Host;
  /** Of the last boot. */
  spec?: GuestSpec;
  work: Promise<void>;
}

export function createFleet({ ctx, startCluster }: FleetOptions): GuestFleet {
  const slots = new Map<string, Slot>();
  const disks = new Map<string, unknown>();
  /** What lies on passed-through disks, by their path on the node: it outlives the VM. */
  const physical = new Map<string, Disk["content"]>();
  const notePhysical = (spec: GuestSpec, state: HostState): void => {
    for (const { device, id } of spec.passedThrough) physical.set(device, state.disks.find((disk) => disk.id === id)?.content);
  };
  const slotOf = (id: string): Slot => {
    const slot = slots.get(id) ?? { turn: 0, work: Promise.resolve() };
    slots.set(id, slot);
    return slot;
  };
  /** One thing after the other for each machine. */
  const queue = (slot: Slot, work: () => Promise<void>): Promise<void> => {
    slot.work = slot.work.then(work);
    return slot.work;
  };
  const dead = (spec: GuestSpec, reason: string): void =>
    ctx.records.add({ system: "ssh", target: spec.hostname, kind: "read", action: "no-network", detail: { reason, address: spec.address } });

  const boot = async (spec: GuestSpec, slot: Slot, turn: number): Promise<void> => {
    await ctx.clock.sleep(ctx.latency.of("vm.boot"));
    if (slot.turn !== turn) return;
    const { address } = spec;
    if (address === undefined) return dead(spec, "no fixed address: the lab has no DHCP server");
    if (ctx.faults.take("vm.no-boot", spec.hostname)) return dead(spec, "fault vm.no-boot");
    if (ctx.network.resolve(address, 22)) return dead(spec, `another machine has the address ${address}`);
    const state = disks.get(spec.id);
    const { passedThrough, ...machine } = spec;
    const plugged = passedThrough.map(({ device, ...disk }) => ({ ...disk, content: physical.get(device) }));
    slot.host = await startHost({ spec: { ...machine, address, disks: plugged }, ctx, startCluster, ...(state === undefined ? {} : { state }) });
    slot.spec = spec;
    ctx.records.add({ system: "ssh", target: spec.hostname, kind: "write", action: "host-up", detail: { address } });
    ctx.changed();
  };
  const off = async (id: string, slot: Slot): Promise<void> => {
    const { host } = slot;
    if (!host) return;
    delete slot.host;
    const state = await host.stop();
    if (slot.spec !== undefined) notePhysical(slot.spec, state);
    disks.set(id, state);
    ctx.changed();
  };
  return {
    powerOn: (spec) => {
      const slot = slotOf(spec.id);
      const turn = ++slot.turn;
      queue(slot, () => boot(spec, slot, turn)).catch((error: unknown) => {
        ctx.unhandled.add({ system: "ssh", target: spec.hostname, what: `the lab failed to boot it: ${asError(error).stack ?? String(error)}` });
        slot.work = Promise.resolve();
      });
    },
    powerOff: async (id) => {
      const slot = slotOf(id);
      slot.turn += 1;
      await queue(slot, () => off(id, slot));
    },
    destroy: async (id) => {
      const slot = slotOf(id);
      slot.turn += 1;
      await queue(slot, () => off(id, slot));
      slots.delete(id);
      disks.delete(id);
    },
    isUp: (id) => slots.get(id)?.host !== undefined,
    hosts: () => [...slots.values()].flatMap((slot) => slot.host ?? []),
    settled: async () => {
      for (const slot of slots.values()) await slot.work;
    },
    save: async () => {
      const saved = new Map(disks);
      for (const [id, slot] of slots) {
        if (slot.host === undefined) continue;
        const state = await slot.host.save();
        if (slot.spec !== undefined) notePhysical(slot.spec, state);
        saved.set(id, state);
      }
      return { ...Object.fromEntries(saved), ...Object.fromEntries([...physical].map(([device, content]) => [device, content ?? null])) };
    },
    restore: (saved) => {
      for (const [id, state] of Object.entries(saved)) {
        if (id.startsWith("/dev/")) physical.set(id, contentSchema.nullable().parse(state) ?? undefined);
        else disks.set(id, state);
      }
    },
    stop: async () => {
      await Promise.all(
        [...slots].map(([id, slot]) => {
          slot.turn += 1;
          return queue(slot, () => off(id, slot));
        }),
      );
    },
  };
}
