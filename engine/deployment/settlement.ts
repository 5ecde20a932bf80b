/** How old entries of the state give way to new ones. */
import { isDeepStrictEqual } from "node:util";
import type { SnapshotManager } from "../snapshot/manager";
import { needsOf, type ResourceState, withRenamedReferences } from "../snapshot/types";

export class Settlement {
  readonly #now = new Map<ResourceState, ResourceState>();

  constructor(private readonly state: SnapshotManager) {}

  /** Where an old state stands now: itself, or what it was changed into in place. */
  current(old: ResourceState): ResourceState {
    const next = this.#now.get(old);
    return next === undefined ? old : this.current(next);
  }

  /** The new state takes the old one's place; without an old one it is just added. */
  succeed(old: ResourceState | undefined, state: ResourceState, ends?: number): void {
    const over = old && this.current(old);
    const put = over === undefined ? [] : this.#renamed(over, state);
    // An entry in which nothing that is stored differs is moved in memory only; it is written with the next one that does.
    const lazy = ends === undefined && put.length === 0 && isDeepStrictEqual(over, state);
    this.state.settle({ ends, add: state, over, put, lazy });
    if (over !== undefined && over !== state) this.#now.set(over, state);
  }

  /** The old entry stays, marked for its deletion at the end; the new state is added. */
  replaceFirst(old: ResourceState, state: ResourceState, ends?: number): void {
    const now = this.current(old);
    const marked = { ...now, delete: true };
    this.state.settle({ ends, add: state, put: [...this.#renamed(now, state), [now, marked]] });
    this.#now.set(now, marked);
  }

  /** Deleted before its replacement: the entry stays until the replacement is there. */
  markPendingReplacement(old: ResourceState, ends?: number): void {
    const now = this.current(old);
    const marked = { ...now, pendingReplacement: true };
    this.state.settle({ ends, put: [[now, marked]] });
    this.#now.set(now, marked);
  }

  /** The entry changes where it stands. */
  change(before: ResourceState, after: ResourceState): void {
    this.#now.set(before, after);
    this.state.settle({ put: [[before, after]] });
  }

  /** What is known under a new URN is referred to by it at once: the state is whole at each write. */
  #renamed(old: ResourceState, state: ResourceState): [ResourceState, ResourceState][] {
    if (old.urn === state.urn) return [];
    const rename = (urn: string): string => (urn === old.urn ? state.urn : urn);
    const put = this.state
      .snapshot()
      .resources.filter((r) => r !== old && needsOf(r).has(old.urn))
      .map((r): [ResourceState, ResourceState] => {
        const renamed = withRenamedReferences(r, rename);
        // A provider that was made anew has another id: what used the old one goes on using that.
        const keepsProvider = state.id !== old.id && renamed.provider !== r.provider;
        return [r, keepsProvider ? { ...renamed, provider: r.provider } : renamed];
      });
    for (const [before, after] of put) this.#now.set(before, after);
    return put;
  }
}
