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
  /** Counts changes of power: a boot that a later change has overtaken stops. */
  turn: number;
  host?: Host;
  /** Of the last boot. */
  spec?: GuestSpec;
  work: Promise<void>;
}

class Fleet implements GuestFleet {
  readonly #slots = new Map<string, Slot>();
  readonly #disks = new Map<string, unknown>();
  /** Content of passed-through disks, by their path on the node. It outlives the VM. */
  readonly #physical = new Map<string, Disk["content"]>();

  constructor(private readonly options: FleetOptions) {}

  powerOn(spec: GuestSpec): void {
    const { ctx } = this.options;
    const slot = this.#slotOf(spec.id);
    const turn = ++slot.turn;
    queue(slot, () => this.#boot(spec, slot, turn)).catch((error: unknown) => {
      ctx.unhandled.add({ system: "ssh", target: spec.hostname, what: `the lab failed to boot it: ${asError(error).stack ?? String(error)}` });
      slot.work = Promise.resolve();
    });
  }

  async powerOff(id: string): Promise<void> {
    await this.#switchOff(id, this.#slotOf(id));
  }

  async destroy(id: string): Promise<void> {
    await this.#switchOff(id, this.#slotOf(id));
    this.#slots.delete(id);
    this.#disks.delete(id);
  }

  isUp(id: string): boolean {
    return this.#slots.get(id)?.host !== undefined;
  }

  hosts(): Host[] {
    return [...this.#slots.values()].flatMap((slot) => slot.host ?? []);
  }

  async settled(): Promise<void> {
    for (const slot of this.#slots.values()) await slot.work;
  }

  async save(): Promise<Record<string, unknown>> {
    const saved = new Map(this.#disks);
    for (const [id, slot] of this.#slots) {
      if (slot.host === undefined) continue;
      const state = await slot.host.save();
      if (slot.spec !== undefined) this.#notePhysical(slot.spec, state);
      saved.set(id, state);
    }
    return { ...Object.fromEntries(saved), ...Object.fromEntries([...this.#physical].map(([device, content]) => [device, content ?? null])) };
  }

  restore(saved: Record<string, unknown>): void {
    for (const [id, state] of Object.entries(saved)) {
      if (id.startsWith("/dev/")) this.#physical.set(id, contentSchema.nullable().parse(state) ?? undefined);
      else this.#disks.set(id, state);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#slots].map(([id, slot]) => this.#switchOff(id, slot)));
  }

  #slotOf(id: string): Slot {
    const slot = this.#slots.get(id) ?? { turn: 0, work: Promise.resolve() };
    this.#slots.set(id, slot);
    return slot;
  }

  #notePhysical(spec: GuestSpec, state: HostState): void {
    for (const { device, id } of spec.passedThrough) this.#physical.set(device, state.disks.find((disk) => disk.id === id)?.content);
  }

  async #boot(spec: GuestSpec, slot: Slot, turn: number): Promise<void> {
    const { ctx, startCluster } = this.options;
    await ctx.clock.sleep(ctx.latency.of("vm.boot"));
    if (slot.turn !== turn) return;
    const { address } = spec;
    const dead = (reason: string): void =>
      ctx.records.add({ system: "ssh", target: spec.hostname, kind: "read", action: "no-network", detail: { reason, address } });
    if (address === undefined) return dead("no fixed address: the lab has no DHCP server");
    if (ctx.faults.take("vm.no-boot", spec.hostname)) return dead("fault vm.no-boot");
    if (ctx.network.resolve(address, 22)) return dead(`another machine has the address ${address}`);
    const state = this.#disks.get(spec.id);
    const { passedThrough, ...machine } = spec;
    const plugged = passedThrough.map(({ device, ...disk }) => ({ ...disk, content: this.#physical.get(device) }));
    slot.host = await startHost({
      spec: { ...machine, address, disks: plugged },
      ctx,
      startCluster,
      ...(state === undefined ? {} : { state }),
      reboot: () => this.#reboot(spec, slot),
    });
    slot.spec = spec;
    ctx.records.add({ system: "ssh", target: spec.hostname, kind: "write", action: "host-up", detail: { address } });
    ctx.changed();
  }

  /** Switches the machine off, then boots it from its disk. */
  #reboot(spec: GuestSpec, slot: Slot): void {
    const { ctx } = this.options;
    this.#switchOff(spec.id, slot).catch((error: unknown) =>
      ctx.unhandled.add({ system: "ssh", target: spec.hostname, what: `the lab failed to switch it off: ${asError(error).stack ?? String(error)}` }),
    );
    this.powerOn(spec);
  }

  #switchOff(id: string, slot: Slot): Promise<void> {
    slot.turn += 1;
    return queue(slot, async () => {
      const { host } = slot;
      if (!host) return;
      delete slot.host;
      const state = await host.stop();
      if (slot.spec !== undefined) this.#notePhysical(slot.spec, state);
      this.#disks.set(id, state);
      this.options.ctx.changed();
    });
  }
}

/** Runs the work of one machine in sequence. */
function queue(slot: Slot, work: () => Promise<void>): Promise<void> {
  slot.work = slot.work.then(work);
  return slot.work;
}

export const createFleet = (options: FleetOptions): GuestFleet => new Fleet(options);
