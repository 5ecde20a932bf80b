/** How old entries of the state give way to new ones. */
import { isDeepStrictEqual } from "node:util";
import { referenceOf } from "../snapshot/integrity";
import type { SnapshotManager } from "../snapshot/manager";
import { needsOf, type ResourceState, withRenamedReferences } from "../snapshot/types";

export class Settlement {
  readonly #now = new Map<ResourceState, ResourceState>();

  constructor(private readonly state: SnapshotManager) {}

  /** The current state of a previous one: the same object, or the one that an update in place made of it. */
  current(old: ResourceState): ResourceState {
    const next = this.#now.get(old);
    return next === undefined ? old : this.current(next);
  }

  #settle(change: Parameters<SnapshotManager["settle"]>[0]): void {
    this.state.settle(change);
    for (const [before, after] of change.put ?? []) this.#now.set(before, after);
  }

  /** The new state takes the old one's place; without an old one it is just added. */
  succeed(old: ResourceState | undefined, state: ResourceState, ends?: number): void {
    const over = old && this.current(old);
    const put = over === undefined ? [] : this.#following(over, state);
    if (over !== undefined && this.#isStillUsed(over, state, put)) {
      const marked = { ...over, delete: true };
      this.#settle({ ends, first: this.#before(state), add: state, put: [...put, [over, marked]] });
      return;
    }
    const first = this.#before(state);
    const lazy = ends === undefined && put.length === 0 && first.length === 0 && isDeepStrictEqual(over, state);
    this.#settle({ ends, first, add: state, over, put, lazy });
    if (over !== undefined && over !== state) this.#now.set(over, state);
  }

  /**
   * The old entries of a provider that this run has replaced but not deleted yet. A resource that still uses the old provider must
   * stand after it in the state. (A resource that uses the new one refers to that.)
   */
  #before(state: ResourceState): ResourceState[] {
    const replaced = state.provider === undefined ? undefined : this.state.replacedProvider(state.provider);
    return replaced === undefined ? [] : [...this.#before(replaced), replaced];
  }

  /** The old entry stays, marked for its deletion at the end; the new state is added. */
  replaceFirst(old: ResourceState, state: ResourceState, ends?: number): void {
    const now = this.current(old);
    const marked = { ...now, delete: true };
    this.#settle({ ends, first: this.#before(state), add: state, put: [...this.#following(now, state, true), [now, marked]] });
  }

  /** Deleted before its replacement: the entry stays until the replacement is there. */
  markPendingReplacement(old: ResourceState, ends?: number): void {
    const now = this.current(old);
    const marked = { ...now, pendingReplacement: true };
    this.#settle({ ends, put: [[now, marked]] });
  }

  /** Changes an entry in place. */
  change(before: ResourceState, after: ResourceState): void {
    this.#settle({ put: [[before, after]] });
  }

  /** Whether the old provider must stay: its successor has another id, and resources are left that only the old one can delete. */
  #isStillUsed(old: ResourceState, state: ResourceState, put: readonly [ResourceState, ResourceState][]): boolean {
    const reference = referenceOf(old);
    if (reference === undefined || reference === referenceOf(state)) return false;
    const moved = new Map(put);
    return this.state.usersOf(reference).some((r) => (moved.get(r) ?? r).provider === reference);
  }

  /**
   * The entries that refer to `old` and must refer to `state` from now on, so that no written state refers to a missing entry:
   * entries that name the old URN, and, where a provider was replaced and its old entry goes at once, entries that need no further provider call.
   */
  #following(old: ResourceState, state: ResourceState, oldStays = false): [ResourceState, ResourceState][] {
    const [before, after] = [referenceOf(old), referenceOf(state)];
    const rename = (urn: string): string => (urn === old.urn ? state.urn : urn);
    const next = (r: ResourceState): ResourceState => {
      const uses = before !== undefined && r.provider === before;
      const renamed = old.urn !== state.urn && needsOf(r).has(old.urn) ? withRenamedReferences(r, rename) : r;
      // The resource may use an earlier provider of this name that is pending deletion: that reference stays.
      if (!uses) return renamed.provider === r.provider ? renamed : { ...renamed, provider: r.provider };
      const follows = after !== undefined && (old.id === state.id || (!oldStays && (r.pendingReplacement || r.external)));
      const provider = follows ? after : before;
      return renamed.provider === provider ? renamed : { ...renamed, provider };
    };
    const moves = old.urn !== state.urn || (before !== after && before !== undefined);
    if (!moves) return [];
    const put = this.state.snapshot().resources.flatMap((r): [ResourceState, ResourceState][] => {
      const changed = r === old ? r : next(r);
      return changed === r ? [] : [[r, changed]];
    });
    return put;
  }
}
