import type { PendingOperation, ResourceState, Snapshot } from "./types";

/**
 * One change of a state under way. The state is two lists: `new` (what this run has settled, in the order in which it was
 * settled) before `old` (what the run found and has not settled yet, in its order). So dependencies stand before their dependents,
 * whenever the run stops. A change sets one place of one list; null empties it.
 */
export type SnapshotChange =
  | { list: "new" | "old"; at: number; state: ResourceState | null }
  | { list: "pending"; at: number; operation: PendingOperation | null };

/** The two lists and the operations under way. */
export class SnapshotComposition {
  readonly #old: (ResourceState | null)[];
  readonly #new: (ResourceState | null)[] = [];
  readonly #pending = new Map<number, PendingOperation>();

  constructor(base: Snapshot) {
    this.#old = [...base.resources];
  }

  /** @returns the change that takes this one back */
  apply(change: SnapshotChange): SnapshotChange {
    if (change.list === "pending") {
      const before = this.#pending.get(change.at) ?? null;
      if (change.operation === null) this.#pending.delete(change.at);
      else this.#pending.set(change.at, change.operation);
      return { ...change, operation: before };
    }
    const list = change.list === "old" ? this.#old : this.#new;
    const before = list[change.at] ?? null;
    list[change.at] = change.state;
    return { ...change, state: before };
  }

  /** An operation under way. */
  operation(at: number): PendingOperation | undefined {
    return this.#pending.get(at);
  }

  get newLength(): number {
    return this.#new.length;
  }

  resources(): ResourceState[] {
    return [...this.#new, ...this.#old].filter((state) => state !== null);
  }

  pending(): PendingOperation[] {
    return [...this.#pending.values()];
  }
}
