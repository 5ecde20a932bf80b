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
    // An entry in which nothing that is stored differs is moved in memory only; it is written with the next one that does.
    const lazy = ends === undefined && isDeepStrictEqual(old && this.current(old), state);
    this.state.settle({ ends, add: state, over: old && this.current(old), lazy });
    if (old === undefined) return;
    if (old !== state) this.#now.set(this.current(old), state);
    this.#rename(old, state);
  }

  /** The old entry stays, marked for its deletion at the end; the new state is added. */
  replaceFirst(old: ResourceState, state: ResourceState, ends?: number): void {
    this.#mark(old, { delete: true }, { add: state, ends });
    this.#rename(old, state);
  }

  /** Deleted before its replacement: the entry stays until the replacement is there. */
  markPendingReplacement(old: ResourceState, ends?: number): void {
    this.#mark(old, { pendingReplacement: true }, { ends });
  }

  /** The entry changes where it stands. */
  change(before: ResourceState, after: ResourceState): void {
    this.#now.set(before, after);
    this.state.settle({ put: [[before, after]] });
  }

  #mark(old: ResourceState, change: Partial<ResourceState>, also: { ends?: number | undefined; add?: ResourceState }): void {
    const now = this.current(old);
    const marked = { ...now, ...change };
    this.#now.set(now, marked);
    this.state.settle({ ...also, put: [[now, marked]] });
  }

  /** What is known under a new URN is referred to by it at once: the state is whole at each moment. */
  #rename(old: ResourceState, state: ResourceState): void {
    if (old.urn === state.urn) return;
    const rename = (urn: string): string => (urn === old.urn ? state.urn : urn);
    const put = this.state
      .snapshot()
      .resources.filter((r) => r !== state && needsOf(r).has(old.urn))
      .map((r): [ResourceState, ResourceState] => {
        const renamed = withRenamedReferences(r, rename);
        // A provider that was made anew has another id: what used the old one goes on using that.
        const keepsProvider = state.id !== old.id && renamed.provider !== r.provider;
        return [r, keepsProvider ? { ...renamed, provider: r.provider } : renamed];
      });
    for (const [before, after] of put) this.#now.set(before, after);
    this.state.settle({ put });
  }
}
