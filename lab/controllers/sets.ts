/** StatefulSets, DaemonSets and Jobs. */
import type { KubeObject } from "../kubernetes";
import { listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { conditionOf, counts, hashOf, isReady, type Kube, templateHash } from "./kube";
import { type ClaimVolume, createPod, podProblem } from "./new-pod";
import type { WorkQueue } from "./queue";

const REVISION = "controller-revision-hash";
const observed = (set: KubeObject): { observedGeneration: number } => ({ observedGeneration: set.metadata.generation ?? 1 });
const isAlive = (set: KubeObject | undefined): set is KubeObject => set !== undefined && set.metadata.deletionTimestamp === undefined;
const revisionOf = (pod: KubeObject): string => pod.metadata.labels?.[REVISION] ?? "";

/** The claims of one pod of a StatefulSet; they are made once and outlive it. */
function claimsOf(kube: Kube, set: KubeObject, ordinal: number): ClaimVolume[] {
  return listAt(set, "spec", "volumeClaimTemplates").map((template) => {
    const volume = textAt(template, "metadata", "name") ?? "";
    const claim = `${volume}-${set.metadata.name}-${ordinal}`;
    const { namespace } = set.metadata;
    if (kube.find("v1", "PersistentVolumeClaim", namespace, claim) === undefined) {
      const labels = mapAt(set, "spec", "selector", "matchLabels") as Record<string, string>;
      kube.create({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: claim, ...(namespace === undefined ? {} : { namespace }), labels },
        spec: mapAt(template, "spec"),
      });
    }
    return { volume, claim };
  });
}

function statefulSet(kube: Kube, set: KubeObject): void {
  const { name } = set.metadata;
  const replicas = numberAt(set, "spec", "replicas") ?? 1;
  const revision = `${name}-${templateHash(set)}`;
  const ordered = textAt(set, "spec", "podManagementPolicy") !== "Parallel";
  const ordinalOf = (pod: KubeObject): number => Number(pod.metadata.name.slice(name.length + 1));
  const owned = kube.owned("v1", "Pod", set);
  let problem: string | undefined;
  for (let i = 0; i < replicas; i++) {
    const pod = owned.find((other) => ordinalOf(other) === i);
    if (pod === undefined) problem = podProblem(kube, set);
    if (problem !== undefined) break;
    if (pod === undefined)
      createPod(
        kube,
        set,
        `${name}-${i}`,
        { [REVISION]: revision, "statefulset.kubernetes.io/pod-name": `${name}-${i}`, "apps.kubernetes.io/pod-index": String(i) },
        claimsOf(kube, set, i),
      );
    // The next one waits until this one is ready.
    if (ordered && !isReady(pod)) break;
  }
  for (const pod of owned.filter((other) => ordinalOf(other) >= replicas)) kube.remove(pod);
  const rolling = textAt(set, "spec", "updateStrategy", "type") !== "OnDelete";
  const stale = owned.filter((pod) => ordinalOf(pod) < replicas && revisionOf(pod) !== revision).sort((a, b) => ordinalOf(b) - ordinalOf(a));
  const [last] = stale;
  // One at a time, from the last. A pod that cannot become ready is replaced all the same.
  if (rolling && last !== undefined && owned.every((pod) => isReady(pod) || pod === last)) kube.remove(last);
  const pods = kube.owned("v1", "Pod", set);
  const ready = pods.filter(isReady).length;
  const updated = pods.filter((pod) => revisionOf(pod) === revision).length;
  const before = textAt(set, "status", "currentRevision");
  const currentRevision = updated >= replicas || before === undefined ? revision : before;
  kube.status(set, {
    ...observed(set),
    replicas: pods.length,
    ...counts({ readyReplicas: ready, currentReplicas: pods.filter((pod) => revisionOf(pod) === currentRevision).length, updatedReplicas: updated }),
    availableReplicas: ready,
    currentRevision,
    updateRevision: revision,
    collisionCount: 0,
    ...(problem === undefined ? {} : { conditions: [kube.condition(set, "ReplicaFailure", "True", "FailedCreate", problem)] }),
  });
}

function daemonSet(kube: Kube, set: KubeObject): void {
  const revision = hashOf(mapAt(set, "spec", "template"));
  for (const pod of kube.owned("v1", "Pod", set)) if (revisionOf(pod) !== revision) kube.remove(pod);
  if (kube.owned("v1", "Pod", set).length === 0 && podProblem(kube, set) === undefined)
    createPod(kube, set, `${set.metadata.name}-`, { [REVISION]: revision, "pod-template-generation": String(set.metadata.generation ?? 1) });
  const pods = kube.owned("v1", "Pod", set);
  const ready = pods.filter(isReady).length;
  kube.status(set, {
    ...observed(set),
    currentNumberScheduled: pods.length,
    desiredNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: ready,
    ...counts({ updatedNumberScheduled: pods.length, numberAvailable: ready, numberUnavailable: 1 - ready }),
  });
}

/** How many of a job's pods may fail where it says nothing. */
const BACKOFF_LIMIT = 6;

function job(kube: Kube, set: KubeObject): void {
  if (mapAt(set, "spec")["suspend"] === true || ["Complete", "Failed"].some((type) => conditionOf(set, type)?.["status"] === "True")) return;
  const wanted = numberAt(set, "spec", "completions") ?? 1;
  const parallel = numberAt(set, "spec", "parallelism") ?? 1;
  const pods = kube.owned("v1", "Pod", set);
  const done = pods.filter((pod) => textAt(pod, "status", "phase") === "Succeeded").length;
  const failed = pods.filter((pod) => textAt(pod, "status", "phase") === "Failed").length;
  const gaveUp = failed > (numberAt(set, "spec", "backoffLimit") ?? BACKOFF_LIMIT);
  const active = pods.length - done - failed;
  const missing = gaveUp ? 0 : Math.max(0, Math.min(parallel, wanted - done) - active);
  const labels = {
    "batch.kubernetes.io/job-name": set.metadata.name,
    "job-name": set.metadata.name,
    "batch.kubernetes.io/controller-uid": set.metadata.uid ?? "",
  };
  for (let i = 0; i < missing && podProblem(kube, set) === undefined; i++) createPod(kube, set, `${set.metadata.name}-`, labels);
  const running = kube.owned("v1", "Pod", set).length - done - failed;
  const started = textAt(set, "status", "startTime") ?? kube.now();
  const complete = done >= wanted;
  kube.status(set, {
    ...counts({ active: running, succeeded: done, failed }),
    ready: 0,
    startTime: started,
    terminating: 0,
    uncountedTerminatedPods: {},
    ...(complete
      ? {
          completionTime: kube.now(),
          conditions: ["SuccessCriteriaMet", "Complete"].map((type) => ({
            ...kube.condition(set, type, "True", "CompletionsReached", "Reached expected number of succeeded pods"),
            lastProbeTime: kube.now(),
          })),
        }
      : {}),
    ...(gaveUp
      ? {
          conditions: ["FailureTarget", "Failed"].map((type) => ({
            ...kube.condition(set, type, "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
            lastProbeTime: kube.now(),
          })),
        }
      : {}),
  });
}

export function workloadSets(kube: Kube, queue: WorkQueue): void {
  const on = (apiVersion: string, kind: string, reconcile: (kube: Kube, set: KubeObject) => void): void =>
    queue.on(kind, (namespace, name) => {
      const set = kube.find(apiVersion, kind, namespace, name);
      if (isAlive(set)) reconcile(kube, set);
    });
  on("apps/v1", "StatefulSet", statefulSet);
  on("apps/v1", "DaemonSet", daemonSet);
  on("batch/v1", "Job", job);
}
