import { type Clock, systemClock } from "../../common/clock";
import { createFaults, type FaultQueue } from "./faults";
import { createLatency } from "./latency";
import { createNetwork, type OwnNetwork } from "./network";
import { createRecords, createUnhandled } from "./records";
import { createAuthority } from "./tls";
import type { Authority, LabContext, Latency, Persistent, Records, Unhandled, UnhandledEntry } from "./world";

/** The context with the parts that only the lab's own core uses. */
export interface OwnedContext extends LabContext {
  records: Records & Persistent;
  unhandled: Unhandled & Persistent;
  faults: FaultQueue;
}

export interface ContextOptions {
  /** Which hosts are the homelab's own. Default: none. */
  own?: OwnNetwork;
  /** Default: the system's. */
  clock?: Clock;
  /** Default: no latency at all. */
  latency?: Latency;
  /** Default: a new authority. */
  tls?: Authority;
  /** Called by every `ctx.changed()`. */
  onChanged?: () => void;
  onUnhandled?: (entry: UnhandledEntry) => void;
}

/** A context with nothing in it; with no options it is the one for tests. */
export async function createContext(options: ContextOptions = {}): Promise<OwnedContext> {
  const clock = options.clock ?? systemClock;
  return {
    clock,
    latency: options.latency ?? createLatency("zero"),
    records: createRecords(clock),
    unhandled: createUnhandled(clock, options.onUnhandled),
    network: createNetwork(options.own),
    tls: options.tls ?? (await createAuthority("homelab lab CA (lab only)")),
    faults: createFaults(),
    changed: options.onChanged ?? (() => undefined),
  };
}
