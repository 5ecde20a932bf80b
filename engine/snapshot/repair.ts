/**
 * Repairs a state that breaks the integrity rules, as `pulumi state repair` of the CLI does: sorts its entries and drops references to
 * missing resources.
 */
import { HomelabError } from "../../common/errors";
import { parseProviderReference } from "../wire/urn";
import { brokenRule, referenceOf } from "./integrity";
import type { ResourceState } from "./types";

export interface RepairedEntry {
  /** Where it stood. */
  at: number;
  state: ResourceState;
}

export interface Repair {
  /** In their new order. */
  entries: RepairedEntry[];
  /** What was changed, a line each; none where the state was whole. */
  changes: string[];
}

/** Entries by the name that others use: the URN, or a provider's reference. Of two with one URN, the one that is not pending deletion comes first. */
function byName(states: readonly ResourceState[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const add = (name: string, at: number): void => void found.set(name, [...(found.get(name) ?? []), at]);
  for (const waiting of [false, true])
    for (const [at, state] of states.entries()) {
      if (state.delete !== waiting) continue;
      add(state.urn, at);
      const reference = referenceOf(state);
      if (reference !== undefined) add(reference, at);
    }
  return found;
}

/** The provider that replaces a missing one: the one that has its URN now. @throws HomelabError where there is none */
function standIn(state: ResourceState, reference: string, states: readonly ResourceState[], names: ReadonlyMap<string, number[]>): string {
  const [at] = names.get(parseProviderReference(reference).urn) ?? [];
  const found = at === undefined ? undefined : states[at];
  const other = found && referenceOf(found);
  if (other !== undefined) return other;
  throw new HomelabError("E_STATE_REPAIR", `${state.urn} uses provider ${reference}, which the state does not hold, nor another of that name`, {
    subject: state.urn,
    hint: "`pulumi state delete` forgets the resource, and `pulumi import` takes it in again",
  });
}

/** The entry without references to resources that do not exist. @param lives whether a resource of that name exists */
function pruned(state: ResourceState, lives: (name: string) => boolean, say: (change: string) => void, other: (reference: string) => string): ResourceState {
  const keep = (what: string, urns: readonly string[]): string[] =>
    urns.filter((urn) => {
      if (lives(urn)) return true;
      say(`${state.urn}: dropped ${what} ${urn}`);
      return false;
    });
  const one = (what: string, urn: string | undefined): string | undefined => (urn === undefined ? undefined : keep(what, [urn])[0]);
  let { id, provider } = state;
  if (!state.custom && (id !== undefined || provider !== undefined)) {
    say(`${state.urn}: a component has neither id nor provider; dropped both`);
    [id, provider] = [undefined, undefined];
  }
  if (provider !== undefined && !lives(provider)) {
    const next = other(provider);
    say(`${state.urn}: provider ${provider} is not there; uses ${next} now`);
    provider = next;
  }
  return {
    ...state,
    id,
    provider,
    parent: one("its parent", state.parent),
    dependencies: keep("its dependency", state.dependencies),
    propertyDependencies:
      state.propertyDependencies &&
      Object.fromEntries(Object.entries(state.propertyDependencies).map(([key, urns]) => [key, keep(`the dependency of ${key},`, urns)])),
    deletedWith: one("deletedWith", state.deletedWith),
    replaceWith: keep("replaceWith", state.replaceWith),
  };
}

const referencesOf = (state: ResourceState): string[] => [
  ...[state.provider, state.parent, state.deletedWith].filter((name) => name !== undefined),
  ...state.dependencies,
  ...Object.values(state.propertyDependencies ?? {}).flat(),
  ...state.replaceWith,
];

/** Sorts dependencies before dependents, and otherwise keeps the order. A reference that closes a cycle is dropped. */
function ordered(states: ResourceState[], names: ReadonlyMap<string, number[]>, say: (change: string) => void): number[] {
  const order: number[] = [];
  const mark = new Map<number, "open" | "done">();
  const visit = (at: number): void => {
    const state = states[at];
    if (state === undefined || mark.has(at)) return;
    mark.set(at, "open");
    const circular = new Set<string>();
    for (const name of referencesOf(state)) {
      const candidates = names.get(name) ?? [];
      if (candidates.some((other) => mark.get(other) === "done")) continue;
      const next = candidates.find((other) => !mark.has(other));
      if (next === undefined) circular.add(name);
      else visit(next);
      // It is an ancestor on the current path and depends on the entry just visited: a cycle.
      if (!(names.get(name) ?? []).some((other) => mark.get(other) === "done")) circular.add(name);
    }
    if (circular.size > 0) {
      states[at] = pruned(
        state,
        (name) => !circular.has(name),
        say,
        (reference) => {
          throw new HomelabError("E_STATE_REPAIR", `${state.urn} and its provider ${reference} need each other`, { subject: state.urn });
        },
      );
    }
    mark.set(at, "done");
    order.push(at);
  };
  for (const at of states.keys()) visit(at);
  return order;
}

/** Keeps one of two equal entries with the same URN. @throws HomelabError where they differ: only a person can decide between them */
function withoutTwins(resources: readonly ResourceState[], say: (change: string) => void): RepairedEntry[] {
  const first = new Map<string, ResourceState>();
  return resources.flatMap((state, at) => {
    const twin = state.delete ? undefined : first.get(state.urn);
    if (!state.delete && twin === undefined) first.set(state.urn, state);
    if (twin === undefined) return [{ at, state }];
    if (twin.id !== state.id)
      throw new HomelabError("E_STATE_REPAIR", `${state.urn} stands twice, with ids ${twin.id} and ${state.id}`, {
        subject: state.urn,
        hint: "export the state, take out the one that is wrong, and import it",
      });
    say(`${state.urn}: stood twice, with one id; dropped the second`);
    return [];
  });
}

/**
 * No object is forgotten: entries change their order and lose references to missing resources; only a second entry for the same object is dropped.
 * @throws HomelabError E_STATE_REPAIR for what only a person can decide
 */
export function repairState(resources: readonly ResourceState[]): Repair {
  const changes: string[] = [];
  const say = (change: string): void => void changes.push(change);
  if (brokenRule(resources) === undefined) return { entries: resources.map((state, at) => ({ at, state })), changes };
  const kept = withoutTwins(resources, say);
  const given = kept.map(({ state }) => state);
  const names = byName(given);
  const states = given.map((state) =>
    pruned(
      state,
      (name) => names.has(name),
      say,
      (reference) => standIn(state, reference, given, names),
    ),
  );
  const order = ordered(states, byName(states), say);
  for (const [place, at] of order.entries()) {
    const state = states[at];
    if (state !== undefined && order.slice(place + 1).some((other) => other < at)) say(`${state.urn}: moved before what needs it`);
  }
  const entries = order.flatMap((index): RepairedEntry[] => {
    const [entry, state] = [kept[index], states[index]];
    return entry === undefined || state === undefined ? [] : [{ at: entry.at, state }];
  });
  const broken = brokenRule(entries.map(({ state }) => state));
  if (broken !== undefined) throw new Error(`the repaired state is still broken: ${broken}`);
  return { entries, changes };
}
