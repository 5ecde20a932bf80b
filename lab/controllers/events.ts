/** Which work follows from which change: what real controllers get from their watches on other kinds. */
import type { KubeObject } from "../kubernetes";
import { listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { fillsIn } from "./istio-injection";
import { controllerOf, type Kube } from "./kube";
import type { WorkQueue } from "./queue";

const SETS = ["ReplicaSet", "StatefulSet", "DaemonSet", "Job"] as const;
const apiOf = (kind: string): string => (kind === "Job" ? "batch/v1" : "apps/v1");

/** Adds the keys of the objects that a change concerns to the queue. */
export function follow(kube: Kube, queue: WorkQueue, object: KubeObject, previous: KubeObject | undefined, deleted: boolean): void {
  const { namespace, name } = object.metadata;
  queue.add(object.kind, namespace, name);
  const owner = controllerOf(object);
  if (owner !== undefined) queue.add(owner.kind, namespace, owner.name);
  if (deleted && namespace !== undefined && !kube.isAlive(namespace)) queue.add("Namespace", undefined, namespace);
  switch (object.kind) {
    case "Pod":
      for (const service of kube.all("v1", "Service", namespace)) {
        const selector = Object.entries(mapAt(service, "spec", "selector"));
        const covers = (pod: KubeObject | undefined): boolean => selector.length > 0 && selector.every(([key, value]) => pod?.metadata.labels?.[key] === value);
        if (covers(object) || covers(previous)) queue.add("Service", namespace, service.metadata.name);
      }
      for (const budget of kube.all("policy/v1", "PodDisruptionBudget", namespace)) queue.add(budget.kind, namespace, budget.metadata.name);
      for (const volume of listAt(object, "spec", "volumes")) {
        const claim = textAt(volume, "persistentVolumeClaim", "claimName");
        if (claim !== undefined) queue.add("PersistentVolumeClaim", namespace, claim);
      }
      return;
    case "Secret":
    case "ConfigMap":
    case "PersistentVolumeClaim":
      for (const pod of kube.all("v1", "Pod", namespace)) if (textAt(pod, "status", "phase") === "Pending") queue.add("Pod", namespace, pod.metadata.name);
      if (object.kind === "ConfigMap" && deleted && namespace !== undefined) queue.add("Namespace", undefined, namespace);
      return;
    case "ServiceAccount":
      for (const kind of SETS) for (const set of kube.all(apiOf(kind), kind, namespace)) queue.add(kind, namespace, set.metadata.name);
      return;
    case "Deployment":
      // istiod answers again: pods that waited for its webhook can be made.
      if (numberAt(object, "status", "availableReplicas") !== numberAt(previous, "status", "availableReplicas") && fillsIn(object))
        for (const kind of SETS) for (const set of kube.all(apiOf(kind), kind)) queue.add(kind, set.metadata.namespace, set.metadata.name);
      return;
    case "Endpoints":
      if (deleted) queue.add("Service", namespace, name);
      return;
    default:
  }
}
