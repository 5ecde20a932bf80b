/** The controller of ResourceQuotas: it reports what is used, and queues the sets whose pods and claims may have been refused. */
import { mapAt } from "../kubernetes/objects";
import { amount, quotaUse } from "../kubernetes/quota";
import type { Kube } from "./kube";
import type { WorkQueue } from "./queue";

/** Who makes pods and claims. */
const MAKERS = [
  ["apps/v1", "ReplicaSet"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["batch/v1", "Job"],
] as const;

export function quotas(kube: Kube, queue: WorkQueue): void {
  queue.on("ResourceQuota", (namespace, name) => {
    const quota = kube.find("v1", "ResourceQuota", namespace, name);
    if (quota === undefined) return;
    const used = Object.fromEntries(Object.entries(quotaUse(kube.store, quota)).map(([resource, value]) => [resource, amount(resource, value)]));
    const status = { hard: mapAt(quota, "spec", "hard"), used };
    if (JSON.stringify(mapAt(quota, "status")) === JSON.stringify(status)) return;
    kube.status(quota, status);
    for (const [apiVersion, kind] of MAKERS)
      for (const { metadata } of kube.all(apiVersion, kind, namespace)) queue.add(kind, metadata.namespace, metadata.name);
  });
  const recount = (namespace: string | undefined): void => {
    for (const { metadata } of kube.all("v1", "ResourceQuota", namespace)) queue.add("ResourceQuota", namespace, metadata.name);
  };
  queue.on("Pod", recount);
  queue.on("PersistentVolumeClaim", recount);
}
