import { HomelabError } from "../../common/errors";
import { isProviderType, parseProviderReference } from "../wire/urn";
import type { ResourceState } from "./types";

/** What the rules need to know about the entries around the one that is checked. */
interface Before {
  /** An entry of this URN stands before. */
  urn(urn: string): boolean;
  /** The provider that a reference names stands before. */
  provider(reference: string): boolean;
  /** Another entry of this URN, before or after, is not pending deletion either. */
  twice(urn: string): boolean;
}

function brokenBy(r: ResourceState, before: Before): string | undefined {
  if (r.provider !== undefined && !before.provider(r.provider))
    return `rule 1: ${r.urn} uses provider ${parseProviderReference(r.provider).urn}, which does not stand before it with that id`;
  if (r.parent !== undefined && !before.urn(r.parent)) return `rule 2: ${r.urn} stands before its parent ${r.parent}`;
  for (const urn of r.dependencies) if (!before.urn(urn)) return `rule 3: ${r.urn} stands before its dependency ${urn}`;
  for (const urns of Object.values(r.propertyDependencies ?? {}))
    for (const urn of urns) if (!before.urn(urn)) return `rule 3: ${r.urn} stands before its dependency ${urn}`;
  if (r.deletedWith !== undefined && !before.urn(r.deletedWith)) return `rule 4: ${r.urn} stands before ${r.deletedWith}, with which it is deleted`;
  for (const urn of r.replaceWith) if (!before.urn(urn)) return `rule 4: ${r.urn} stands before ${urn}, with which it is replaced`;
  if (!r.delete && before.twice(r.urn)) return `rule 5: ${r.urn} stands twice`;
  if (!r.custom && (r.id !== undefined || r.provider !== undefined)) return `rule 6: component ${r.urn} has an id or a provider`;
  return undefined;
}

/** The reference by which others name a provider; undefined for all else. */
export const referenceOf = (r: ResourceState): string | undefined => (isProviderType(r.type) && r.id !== undefined ? `${r.urn}::${r.id}` : undefined);

/**
 * The rules that every written and every read state keeps:
 *  1. a provider reference names a provider that stands earlier, with that id;
 *  2. the parent stands earlier;
 *  3. each dependency, also of single properties, stands earlier;
 *  4. what a resource is deleted or replaced with stands earlier;
 *  5. no URN stands twice, except entries that are pending deletion;
 *  6. a component has no id, and a component or provider has no provider.
 * Returns the first broken rule as text, or undefined.
 */
export function brokenRule(resources: readonly ResourceState[]): string | undefined {
  const seen = new Set<string>();
  const standing = new Set<string>();
  const providers = new Set<string>();
  const before: Before = { urn: (urn) => seen.has(urn), provider: (reference) => providers.has(reference), twice: (urn) => standing.has(urn) };
  for (const r of resources) {
    const broken = brokenBy(r, before);
    if (broken !== undefined) return broken;
    seen.add(r.urn);
    if (!r.delete) standing.add(r.urn);
    const reference = referenceOf(r);
    if (reference !== undefined) providers.add(reference);
  }
  return undefined;
}

/** @throws HomelabError E_STATE_INTEGRITY */
export function checkIntegrity(resources: readonly ResourceState[], source: string): void {
  const broken = brokenRule(resources);
  if (broken === undefined) return;
  throw new HomelabError("E_STATE_INTEGRITY", `snapshot integrity failure; refusing to use it (${source}): ${broken}`, {
    subject: source,
    hint: "`pulumi state repair` sorts the entries, drops references to missing resources, and says what it changed",
  });
}

/** Visits all that an entry refers to: URNs, and the reference of its provider. One that is named twice is visited twice. */
function eachReference(r: ResourceState, visit: (name: string) => void): void {
  if (r.provider !== undefined) visit(r.provider);
  if (r.parent !== undefined) visit(r.parent);
  for (const urn of r.dependencies) visit(urn);
  for (const urns of Object.values(r.propertyDependencies ?? {})) for (const urn of urns) visit(urn);
  if (r.deletedWith !== undefined) visit(r.deletedWith);
  for (const urn of r.replaceWith) visit(urn);
}

/**
 * The same rules for a state that changes entry by entry: what a change costs does not depend on the size of the state, unless it
 * takes away what others still refer to. Entries have places: numbers that rise in the state's order.
 */
export class IntegrityIndex {
  /** Places of the entries by URN, and of providers by reference. */
  readonly #places = new Map<string, number[]>();
  readonly #entries = new Map<number, ResourceState>();
  /** How often each URN or reference is referred to. */
  readonly #uses = new Map<string, number>();
  readonly #changed = new Set<number>();
  /** Names that lost a place: entries that refer to them are checked again. */
  readonly #lost = new Set<string>();

  #count(state: ResourceState, by: 1 | -1): void {
    eachReference(state, (name) => {
      const uses = (this.#uses.get(name) ?? 0) + by;
      if (uses === 0) this.#uses.delete(name);
      else this.#uses.set(name, uses);
    });
  }

  #enter(name: string, place: number): void {
    const places = this.#places.get(name);
    if (places === undefined) this.#places.set(name, [place]);
    else places.push(place);
  }

  #leave(name: string, place: number): void {
    const left = (this.#places.get(name) ?? []).filter((other) => other !== place);
    if (left.length === 0) this.#places.delete(name);
    else this.#places.set(name, left);
    this.#lost.add(name);
  }

  /** The entry of a place as it now is; undefined empties the place. */
  set(place: number, state: ResourceState | undefined): void {
    const previous = this.#entries.get(place);
    const reference = previous && referenceOf(previous);
    const next = state && referenceOf(state);
    if (previous !== undefined) {
      this.#count(previous, -1);
      if (previous.urn !== state?.urn) this.#leave(previous.urn, place);
      if (reference !== undefined && reference !== next) this.#leave(reference, place);
    }
    if (state === undefined) {
      this.#entries.delete(place);
      return;
    }
    this.#entries.set(place, state);
    this.#count(state, 1);
    if (previous?.urn !== state.urn) this.#enter(state.urn, place);
    if (next !== undefined && reference !== next) this.#enter(next, place);
    this.#changed.add(place);
  }

  #judge(place: number, state: ResourceState): string | undefined {
    const before = (name: string): boolean => this.#places.get(name)?.some((other) => other < place) ?? false;
    const twice = (urn: string): boolean => this.#places.get(urn)?.some((other) => other !== place && this.#entries.get(other)?.delete === false) ?? false;
    return brokenBy(state, { urn: before, provider: before, twice });
  }

  /** The first rule that is broken by an entry set since the last call. */
  broken(): string | undefined {
    const used = [...this.#lost].some((name) => this.#uses.has(name));
    const places = used ? this.#entries.keys() : this.#changed;
    let found: string | undefined;
    for (const place of places) {
      const state = this.#entries.get(place);
      found ??= state && this.#judge(place, state);
    }
    this.#changed.clear();
    this.#lost.clear();
    return found;
  }

  /** The entry that a provider reference names. */
  provider(reference: string): ResourceState | undefined {
    const [place] = this.#places.get(reference) ?? [];
    return place === undefined ? undefined : this.#entries.get(place);
  }
}
