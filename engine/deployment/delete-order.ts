import { StepFailed } from "../errors";
import { needsOf, type ResourceState } from "../snapshot/types";
import type { Step } from "../steps/step";
import { Halted } from "./executor";

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
    if (state.parent !== undefined) children.set(state.parent, [...(children.get(state.parent) ?? []), state.urn]);
  }
  return needs;
}

/**
 * Runs deletions so that what needs something goes before it, as many at once as the executor allows. After a failure nothing
 * new starts; a protected resource holds back only what it stands on.
 * @param failed what failed before: what it stands on stays
 * @returns whether all went
 */
export async function deleteInOrder(
  steps: readonly Step[],
  resources: readonly ResourceState[],
  run: (step: Step) => Promise<void>,
  { continueOnError, failed: failedBefore }: { continueOnError: boolean; failed: readonly ResourceState[] },
): Promise<boolean> {
  const needs = allNeeds([...new Set([...resources, ...failedBefore])]);
  const left = new Set(steps);
  const running = new Set<Promise<void>>();
  const kept = new Set<string>();
  /** What failed keeps all that it stands on. */
  const keep = (state: ResourceState): void => {
    for (const urn of needs.get(state) ?? []) {
      if (kept.has(urn)) continue;
      kept.add(urn);
      for (const other of resources) if (other.urn === urn) keep(other);
    }
  };
  failedBefore.forEach(keep);
  let failed = false;
  let stopped = false;
  const needsStep = (other: Step, step: Step): boolean =>
    other !== step && other.old !== undefined && needs.get(other.old)?.has(step.urn) === true && other.urn !== step.urn;
  const active = new Set<Step>();
  const start = (step: Step): void => {
    left.delete(step);
    active.add(step);
    const work = run(step)
      .catch((thrown: unknown) => {
        if (!(thrown instanceof StepFailed) && !(thrown instanceof Halted)) throw thrown;
        failed = true;
        if (!step.protected && !continueOnError) stopped = true;
        if (step.old !== undefined) keep(step.old);
      })
      .finally(() => {
        active.delete(step);
        running.delete(work);
      });
    running.add(work);
  };
  while (left.size > 0 || running.size > 0) {
    if (!stopped) {
      for (const step of [...left]) {
        const waits = [...left, ...active].some((other) => needsStep(other, step));
        if (waits) continue;
        if (kept.has(step.urn)) left.delete(step);
        else start(step);
      }
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return !failed;
}
