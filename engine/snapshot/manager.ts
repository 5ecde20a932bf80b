import type { PendingOperation, ResourceState, Snapshot } from "./types";

/**
 * One change of a state under way. The state is two lists: `new` (what this run has settled, in the order in which it was
 * settled) before `old` (what the run found and has not settled yet, in its order); so whatever stops the run, what is needed
 * stands before what needs it. A change sets one place of one list; null empties it.
 */
export type SnapshotChange =
  | { list: "new" | "old"; at: number; state: ResourceState | null }
  | { list: "pending"; at: number; operation: PendingOperation | null };

/** Where changes go. What one call gives is one unit: all of it is kept, or nothing. */
export interface SnapshotJournal {
  /** @param lazy nothing that is stored differs: it may be written with the next change that counts */
  append(changes: readonly SnapshotChange[], lazy?: boolean): void;
  /** Resolves when a kill loses nothing of what was appended; undefined where that is so already. */
  durable?(): Promise<void> | undefined;
}

/** The two lists and the operations under way; also used to replay a journal. */
export class SnapshotComposition {
  readonly #old: (ResourceState | null)[];
  readonly #new: (ResourceState | null)[] = [];
  readonly #pending = new Map<number, PendingOperation>();

  constructor(base: Snapshot) {
    this.#old = [...base.resources];
  }

  apply(change: SnapshotChange): void {
    if (change.list === "pending") {
      if (change.operation === null) this.#pending.delete(change.at);
      else this.#pending.set(change.at, change.operation);
    } else if (change.list === "old") this.#old[change.at] = change.state;
    else this.#new[change.at] = change.state;
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

type Place = { list: "new" | "old"; at: number };

/** Keeps the state of one run: knows where each resource stands, and hands every change to the journal. */
export class SnapshotManager {
  readonly #composition: SnapshotComposition;
  readonly #places = new Map<ResourceState, Place>();
  #nextPending = 0;

  /** @param carried creations that an earlier run left pending: they stay until they are cleared by a refresh */
  constructor(
    base: Snapshot,
    private readonly journal: SnapshotJournal,
  ) {
    this.#composition = new SnapshotComposition(base);
    for (const [at, state] of base.resources.entries()) this.#places.set(state, { list: "old", at });
    for (const operation of base.pendingOperations)
      if (operation.type === "creating") this.#composition.apply({ list: "pending", at: this.#nextPending++, operation });
  }

  /** Notes an operation before its provider is called; the returned number ends it. */
  begin(operation: PendingOperation): number {
    const at = this.#nextPending++;
    this.#commit([{ list: "pending", at, operation }]);
    return at;
  }

  /** An operation that ended without a new state. */
  abandon(at: number): void {
    this.#commit([{ list: "pending", at, operation: null }]);
  }

  /**
   * Settles resources: `add` comes to the end of the new list (`over` leaves its place to it), `remove` leaves the state,
   * `put` changes in place, and the operation `ends`.
   */
  settle(change: {
    ends?: number | undefined;
    add?: ResourceState;
    over?: ResourceState | undefined;
    remove?: ResourceState[];
    put?: [ResourceState, ResourceState][];
    lazy?: boolean;
  }): void {
    const changes: SnapshotChange[] = [];
    if (change.ends !== undefined) changes.push({ list: "pending", at: change.ends, operation: null });
    for (const gone of [...(change.over ? [change.over] : []), ...(change.remove ?? [])]) {
      const place = this.#places.get(gone);
      if (place === undefined) continue;
      this.#places.delete(gone);
      changes.push({ ...place, state: null });
    }
    for (const [before, after] of change.put ?? []) {
      const place = this.#places.get(before);
      if (place === undefined) throw new Error(`${before.urn} is not part of the state`);
      this.#places.delete(before);
      this.#places.set(after, place);
      changes.push({ ...place, state: after });
    }
    if (change.add !== undefined) {
      const place: Place = { list: "new", at: this.#composition.newLength };
      this.#places.set(change.add, place);
      changes.push({ ...place, state: change.add });
    }
    this.#commit(changes, change.lazy);
  }

  /** Resolves when the changes so far are safe; undefined when they are. */
  durable(): Promise<void> | undefined {
    return this.journal.durable?.();
  }

  holds(state: ResourceState): boolean {
    return this.#places.has(state);
  }

  snapshot(): Snapshot {
    return { resources: this.#composition.resources(), pendingOperations: this.#composition.pending() };
  }

  #commit(changes: SnapshotChange[], lazy?: boolean): void {
    if (changes.length === 0) return;
    for (const change of changes) this.#composition.apply(change);
    this.journal.append(changes, lazy);
  }
}
