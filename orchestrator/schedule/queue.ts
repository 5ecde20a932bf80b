import type { StackGraph } from "../target/graph";

/** How a stack of a run ends. unaffected: nothing that it is built from changed. */
export const ENDED = ["succeeded", "unaffected", "failed", "skipped", "cancelled"] as const;

/** The status of a stack in a run. */
export type StackStatus = "pending" | "running" | "retrying" | (typeof ENDED)[number];

/** Whether the stacks that wait for this one may start. */
export const isWell = (status: StackStatus): boolean => status === "succeeded" || status === "unaffected";

export type Direction = "build" | "destroy";

interface Entry {
  status: StackStatus;
  /** Stacks of this run that must have succeeded first. */
  waitsFor: readonly string[];
  /** Time of the longest chain from this stack on: the longest goes first. */
  weight: number;
  /** Of a retrying stack: its wait is over. */
  awake: boolean;
  /** The stack whose failure skipped this one. */
  blame?: string;
}

/**
 * Decides what may run next. It does no work and reads no clock. A stack is ready as soon as those that it waits for have succeeded. Of the
 * ready stacks, the head of the chain that takes longest goes first (without times: of the longest chain), ties by name. A failure skips the
 * stacks that wait for it, transitively, and nothing else. Destroying runs the same graph backwards.
 */
export class ReadyQueue {
  readonly #entries = new Map<string, Entry>();

  /** @param times how long stacks took before; a stack without a time counts as their mean */
  constructor(graph: StackGraph, stacks: ReadonlySet<string>, direction: Direction, times: ReadonlyMap<string, number> = new Map()) {
    const known = [...times.values()].filter((time) => time > 0);
    const mean = known.length === 0 ? 1 : known.reduce((sum, time) => sum + time, 0) / known.length;
    const waits = (name: string): string[] => {
      const all = direction === "build" ? graph.node(name).needs : graph.names().filter((other) => graph.node(other).needs.includes(name));
      return all.filter((other) => stacks.has(other));
    };
    for (const name of stacks) this.#entries.set(name, { status: "pending", waitsFor: waits(name), weight: 0, awake: false });
    const weights = new Map<string, number>();
    const weigh = (name: string): number => {
      const weighed = weights.get(name);
      if (weighed !== undefined) return weighed;
      const behind = [...this.#entries].filter(([, entry]) => entry.waitsFor.includes(name)).map(([other]) => weigh(other));
      const weight = (times.get(name) ?? mean) + Math.max(0, ...behind);
      weights.set(name, weight);
      return weight;
    };
    for (const [name, entry] of this.#entries) entry.weight = weigh(name);
  }

  /** Takes the next stack that may run, or undefined where none is ready now. */
  claim(): string | undefined {
    const isOpen = ({ status, awake }: Entry): boolean => status === "pending" || (status === "retrying" && awake);
    const first = this.#next(isOpen, (name) => isWell(this.status(name)));
    if (first !== undefined) this.#entry(first).status = "running";
    return first;
  }

  /**
   * The next stack whose processes can be started early: all that it waits for has succeeded, runs, or was started early itself. It stays pending.
   * @param ready stacks that were started early already
   */
  upcoming(ready: ReadonlySet<string>): string | undefined {
    const isOpen = ({ status }: Entry, name: string): boolean => status === "pending" && !ready.has(name);
    return this.#next(isOpen, (name) => isWell(this.status(name)) || this.status(name) === "running" || ready.has(name));
  }

  #next(isOpen: (entry: Entry, name: string) => boolean, met: (name: string) => boolean): string | undefined {
    const open = [...this.#entries].filter(([name, entry]) => isOpen(entry, name) && entry.waitsFor.every(met));
    open.sort(([a, x], [b, y]) => y.weight - x.weight || (a < b ? -1 : 1));
    return open[0]?.[0];
  }

  /** Records how a running stack ended; returns the stacks that are skipped by it. */
  finish(name: string, status: "succeeded" | "unaffected" | "failed" | "cancelled"): string[] {
    const entry = this.#entry(name);
    if (entry.status !== "running" && entry.status !== "retrying") throw new Error(`stack ${name} is ${entry.status} and cannot become ${status}`);
    entry.status = status;
    return isWell(status) ? [] : this.#skipWhatWaitsFor(name);
  }

  /** A running stack failed and waits for its next try. */
  suspend(name: string): void {
    const entry = this.#entry(name);
    if (entry.status !== "running") throw new Error(`stack ${name} is ${entry.status} and cannot be tried again`);
    entry.status = "retrying";
    entry.awake = false;
  }

  /** Its wait is over: it runs again as soon as there is room. */
  wake(name: string): void {
    const entry = this.#entry(name);
    if (entry.status !== "retrying") throw new Error(`stack ${name} is ${entry.status} and waits for no next try`);
    entry.awake = true;
  }

  /** Ends every stack that has not started. */
  cancelPending(): string[] {
    const cancelled: string[] = [];
    for (const [name, entry] of this.#entries) {
      if (entry.status !== "pending") continue;
      entry.status = "cancelled";
      cancelled.push(name);
    }
    return cancelled;
  }

  status(name: string): StackStatus {
    return this.#entry(name).status;
  }

  /** The stack to blame for a skipped one. */
  blame(name: string): string | undefined {
    return this.#entry(name).blame;
  }

  running(): number {
    return [...this.#entries.values()].filter((entry) => entry.status === "running").length;
  }

  done(): boolean {
    return [...this.#entries.values()].every((entry) => !["pending", "running", "retrying"].includes(entry.status));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`stack ${name} is not part of this run`);
    return entry;
  }

  #skipWhatWaitsFor(name: string): string[] {
    const skipped: string[] = [];
    const visit = (cause: string): void => {
      for (const [other, entry] of this.#entries) {
        if (entry.status !== "pending" || !entry.waitsFor.includes(cause)) continue;
        entry.status = "skipped";
        entry.blame = name;
        skipped.push(other);
        visit(other);
      }
    };
    visit(name);
    return skipped;
  }
}
