/** PodDisruptionBudgets: how many pods of each may go now. */
import { at, type JsonMap, mapAt } from "../kubernetes/objects";
import { selects } from "../kubernetes/selectors";
import { isReady, type Kube } from "./kube";
import type { WorkQueue } from "./queue";

const API = "policy/v1";
const KIND = "PodDisruptionBudget";

/** A number of pods, from a number or from a percentage of all, which is rounded up. */
function podsOf(value: unknown, all: number): number {
  return typeof value === "string" && value.endsWith("%") ? Math.ceil((Number(value.slice(0, -1)) / 100) * all) : Number(value);
}

export function disruptionBudgets(kube: Kube, queue: WorkQueue): void {
  queue.on(KIND, (namespace, name) => {
    const budget = kube.find(API, KIND, namespace, name);
    if (budget === undefined) return;
    const pods = kube.all("v1", "Pod", namespace).filter((pod) => selects(mapAt(budget, "spec", "selector"), pod.metadata.labels ?? {}));
    const [most, least] = [at(budget, "spec", "maxUnavailable"), at(budget, "spec", "minAvailable")];
    const expectedPods = pods.length;
    const currentHealthy = pods.filter(isReady).length;
    const desiredHealthy = most === undefined ? podsOf(least ?? 1, expectedPods) : Math.max(0, expectedPods - podsOf(most, expectedPods));
    const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
    const [isAllowed, reason] = disruptionsAllowed > 0 ? (["True", "SufficientPods"] as const) : (["False", "InsufficientPods"] as const);
    const conditions: JsonMap[] = [kube.condition(budget, "DisruptionAllowed", isAllowed, reason, "")];
    const { generation = 1 } = budget.metadata;
    kube.status(budget, { observedGeneration: generation, expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed, conditions });
  });
}
