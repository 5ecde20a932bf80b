import { type SnapshotChange, SnapshotComposition } from "./composition";
import { IntegrityIndex } from "./integrity";
import type { PendingOperation, ResourceState, Snapshot } from "./types";

/** Where changes go. What one call gives is one unit: all of it is kept, or nothing. */
export interface SnapshotJournal {
  /** @param lazy the file's content does not change by it: it may wait for the next write */
  append(changes: readonly SnapshotChange[], lazy?: boolean): void;
  /** Resolves when all that was appended survives a kill; undefined where it does already. */
  durable?(): Promise<void> | undefined;
}

/** A change that would break the rules of a state: a bug of this engine. It was not written, so the state is what it was before. */
export class BrokenState extends Error {
  constructor(rule: string, made: ResourceState | undefined) {
    const kept =
      made?.id === undefined
        ? ""
        : `; ${made.urn} exists with id ${made.id} and stands among the pending operations of the state (\`pulumi stack export\` shows it): take it in with \`pulumi import\``;
    super(
      `this change would break the state, so it was not written, and the state is what it was before (${rule}). This is a bug in the embedded engine${kept}`,
    );
    this.name = "BrokenState";
  }
}

type Place = { list: "new" | "old"; at: number };

/** All of `old` stands behind all of `new`. */
const OLD_BEHIND = 2 ** 40;
const rank = ({ list, at }: Place): number => (list === "new" ? at : OLD_BEHIND + at);

/** Keeps the state of one run: knows where each resource stands, and hands every change to the journal. */
export class SnapshotManager {
  readonly #composition: SnapshotComposition;
  readonly #index: IntegrityIndex | undefined;
  readonly #places = new Map<ResourceState, Place>();
  #nextPending = 0;

  /**
   * Creations that an earlier run left pending stay until they are cleared by a refresh.
   * @param journal undefined where nothing is written: nothing is judged then either
   */
  constructor(
    base: Snapshot,
    private readonly journal: SnapshotJournal | undefined,
  ) {
    this.#composition = new SnapshotComposition(base);
    this.#index = journal && new IntegrityIndex();
    for (const [at, state] of base.resources.entries()) {
      const place: Place = { list: "old", at };
      this.#places.set(state, place);
      this.#index?.set(rank(place), state);
    }
    this.#index?.broken();
    for (const operation of base.pendingOperations)
      if (operation.type === "creating") this.#composition.apply({ list: "pending", at: this.#nextPending++, operation });
  }

  /** Records a pending operation before its provider is called. {@link settle} or {@link abandon} takes the returned number to end it. */
  begin(operation: PendingOperation): number {
    const at = this.#nextPending++;
    this.#commit([{ list: "pending", at, operation }]);
    return at;
  }

  /** Ends an operation without a new state. */
  abandon(at: number): void {
    this.#commit([{ list: "pending", at, operation: null }]);
  }

  /**
   * Changes the state, all at once. `add` goes to the end of the new list, and `first` goes there before it; `over` (which `add`
   * succeeds) and `remove` leave the state; `put` changes entries in place; `ends` is the pending operation that ends.
   * @throws BrokenState where that would break the rules of a state. Then nothing is changed, and the operation stays pending, with
   *   what it made.
   */
  settle(change: {
    ends?: number | undefined;
    first?: ResourceState[];
    add?: ResourceState;
    over?: ResourceState | undefined;
    remove?: ResourceState[];
    put?: [ResourceState, ResourceState][];
    lazy?: boolean;
  }): void {
    const changes: SnapshotChange[] = [];
    const moves: [ResourceState, Place | undefined][] = [];
    if (change.ends !== undefined) changes.push({ list: "pending", at: change.ends, operation: null });
    for (const gone of [...(change.over ? [change.over] : []), ...(change.remove ?? []), ...(change.first ?? [])]) {
      const place = this.#places.get(gone);
      if (place === undefined) continue;
      moves.push([gone, undefined]);
      changes.push({ ...place, state: null });
    }
    for (const [before, after] of change.put ?? []) {
      const place = this.#places.get(before);
      if (place === undefined) throw new Error(`${before.urn} is not part of the state`);
      moves.push([before, undefined], [after, place]);
      changes.push({ ...place, state: after });
    }
    const added = [...(change.first ?? []), ...(change.add ? [change.add] : [])];
    for (const [index, state] of added.entries()) {
      const place: Place = { list: "new", at: this.#composition.newLength + index };
      moves.push([state, place]);
      changes.push({ ...place, state });
    }
    this.#commit(changes, { lazy: change.lazy, made: change.ends === undefined ? undefined : change.add, moves });
  }

  /** Resolves when the changes so far are durable; undefined when they already are. */
  durable(): Promise<void> | undefined {
    return this.journal?.durable?.();
  }

  holds(state: ResourceState): boolean {
    return this.#places.has(state);
  }

  /** Whether a step of this run put the entry into the new list. An entry that was changed in place is still in the old one. */
  isNew(state: ResourceState): boolean {
    return this.#places.get(state)?.list === "new";
  }

  snapshot(): Snapshot {
    return { resources: this.#composition.resources(), pendingOperations: this.#composition.pending() };
  }

  /**
   * The provider that a reference names, if it is pending deletion and still in the old list. A resource that uses it and moves to the
   * new list takes it along.
   */
  replacedProvider(reference: string): ResourceState | undefined {
    const found = this.#index?.provider(reference);
    return found?.delete && this.#places.get(found)?.list === "old" ? found : undefined;
  }

  /** The entries that use a provider. */
  usersOf(reference: string): ResourceState[] {
    return this.#composition.resources().filter((r) => r.provider === reference);
  }

  #commit(
    changes: readonly SnapshotChange[],
    { lazy, made, moves = [] }: { lazy?: boolean | undefined; made?: ResourceState | undefined; moves?: readonly [ResourceState, Place | undefined][] } = {},
  ): void {
    if (changes.length === 0) return;
    const undo = changes.map((change) => this.#apply(change));
    const broken = this.#index?.broken();
    if (broken !== undefined) {
      for (const change of undo.reverse()) this.#apply(change);
      this.#index?.broken();
      this.#keepPending(changes, made);
      throw new BrokenState(broken, made);
    }
    for (const [state, place] of moves) {
      if (place === undefined) this.#places.delete(state);
      else this.#places.set(state, place);
    }
    this.journal?.append(changes, lazy);
  }

  #apply(change: SnapshotChange): SnapshotChange {
    if (change.list !== "pending") this.#index?.set(rank(change), change.state ?? undefined);
    return this.#composition.apply(change);
  }

  /** If no entry can hold what an operation made, its pending operation holds it: with its id and all that is known of it. */
  #keepPending(changes: readonly SnapshotChange[], made: ResourceState | undefined): void {
    for (const change of changes) {
      if (change.list !== "pending" || change.operation !== null) continue;
      const operation = this.#composition.operation(change.at);
      if (operation === undefined || made === undefined) continue;
      const kept: SnapshotChange = { list: "pending", at: change.at, operation: { ...operation, resource: made } };
      this.#composition.apply(kept);
      this.journal?.append([kept]);
    }
  }
}
