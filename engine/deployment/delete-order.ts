import { Halted, StepFailed } from "../errors";
import { needsOf, type ResourceState } from "../snapshot/types";
import type { Step } from "../steps/step";

/**
 * What a resource needs, as far as deletion goes: its own needs, and where one of them is a component, all of that component's
 * children that stand before it in the state.
 */
function allNeeds(resources: readonly ResourceState[]): Map<ResourceState, Set<string>> {
  const children = new Map<string, string[]>();
  const components = new Set(resources.filter((r) => !r.custom).map((r) => r.urn));
  const needs = new Map<ResourceState, Set<string>>();
  for (const state of resources) {
    const own = needsOf(state);
    const visit = (urn: string): void => {
      for (const child of children.get(urn) ?? []) {
        if (child === state.urn || own.has(child)) continue;
        own.add(child);
        visit(child);
      }
    };
    for (const urn of [...own]) if (components.has(urn) && urn !== state.parent) visit(urn);
    needs.set(state, own);
    if (state.parent === undefined) continue;
    const siblings = children.get(state.parent);
    if (siblings === undefined) children.set(state.parent, [state.urn]);
    else siblings.push(state.urn);
  }
  return needs;
}

function byUrnOf<T extends { urn: string }>(items: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const same = found.get(item.urn);
    if (same === undefined) found.set(item.urn, [item]);
    else same.push(item);
  }
  return found;
}

/**
 * For each deletion, how many others must end before it: those of resources that need its own; and which ones its end frees. A
 * need refers to an entry that stands earlier in the state. Of two entries with one URN (the new one, and the old one that is pending
 * deletion) that may be only one.
 */
function waits(
  steps: readonly Step[],
  needs: ReadonlyMap<ResourceState, ReadonlySet<string>>,
  position: ReadonlyMap<ResourceState, number>,
): { blockers: Map<Step, number>; frees: Map<Step, Step[]> } {
  const named = byUrnOf(steps);
  const blockers = new Map(steps.map((step) => [step, 0]));
  const frees = new Map<Step, Step[]>();
  const placeOf = (step: Step): number => (step.old === undefined ? -1 : (position.get(step.old) ?? -1));
  for (const step of steps) {
    const urns = step.old === undefined ? [] : (needs.get(step.old) ?? []);
    const needed = [...urns].filter((urn) => urn !== step.urn).flatMap((urn) => named.get(urn) ?? []);
    const earlier = needed.filter((other) => placeOf(other) < placeOf(step));
    for (const other of earlier) blockers.set(other, (blockers.get(other) ?? 0) + 1);
    frees.set(step, earlier);
  }
  return { blockers, frees };
}

/**
 * Runs deletions, dependents before what they depend on, as many at once as the executor allows. After a failure nothing new
 * starts. A protected resource only keeps what it depends on; other deletions go on.
 */
export async function deleteInOrder(
  steps: readonly Step[],
  resources: readonly ResourceState[],
  run: (step: Step) => Promise<void>,
  { continueOnError, failed: failedBefore }: { continueOnError: boolean; failed: readonly ResourceState[] },
): Promise<boolean> {
  const all = [...new Set([...resources, ...failedBefore])];
  const needs = allNeeds(all);
  const position = new Map(all.map((state, at) => [state, at]));
  const kept = new Set<string>();
  const entries = byUrnOf(resources);
  /** A resource whose deletion failed keeps everything that it depends on. */
  const keep = (state: ResourceState): void => {
    for (const urn of needs.get(state) ?? []) {
      if (kept.has(urn)) continue;
      kept.add(urn);
      for (const other of entries.get(urn) ?? []) keep(other);
    }
  };
  failedBefore.forEach(keep);
  const { blockers, frees } = waits(steps, needs, position);
  const ready = steps.filter((step) => blockers.get(step) === 0);
  let running = 0;
  /** Called when one has ended. A race of all that run would hold on to each of them each time. */
  let ended = (): void => undefined;
  const bugs: unknown[] = [];
  let left = steps.length;
  let failed = false;
  let stopped = false;
  const finish = (step: Step): void => {
    left--;
    for (const need of frees.get(step) ?? []) {
      const count = (blockers.get(need) ?? 0) - 1;
      blockers.set(need, count);
      if (count === 0) ready.push(need);
    }
  };
  const start = (step: Step): void => {
    running++;
    void run(step)
      .catch((thrown: unknown) => {
        if (!(thrown instanceof StepFailed) && !(thrown instanceof Halted)) bugs.push(thrown);
        failed = true;
        if (!step.protected && !continueOnError) stopped = true;
        if (step.old !== undefined) keep(step.old);
      })
      .finally(() => {
        running--;
        finish(step);
        ended();
      });
  };
  for (;;) {
    while (!stopped) {
      const step = ready.shift();
      if (step === undefined) break;
      if (kept.has(step.urn)) finish(step);
      else start(step);
    }
    if (running === 0) break;
    await new Promise<void>((resolve) => {
      ended = resolve;
    });
    if (bugs.length > 0) throw bugs[0];
  }
  if (left > 0 && !stopped) throw new Error(`${left} deletions wait for each other`);
  return !failed;
}
