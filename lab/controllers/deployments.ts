/** Deployments and ReplicaSets. A rollout brings all new pods up before the old ones go (maxSurge is taken as 100 %). */
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { noteEvent } from "./event-log";
import { conditionOf, counts, isReady, type Kube, ownerOf, templateHash } from "./kube";
import { createPod, podProblem } from "./new-pod";
import type { WorkQueue } from "./queue";

const REVISION = "deployment.kubernetes.io/revision";
const HASH = "pod-template-hash";

const replicasOf = (set: KubeObject): number => numberAt(set, "spec", "replicas") ?? 1;
const revisionOf = (set: KubeObject): number => Number(set.metadata.annotations?.[REVISION] ?? 0);
const observed = (set: KubeObject): { observedGeneration: number } => ({ observedGeneration: set.metadata.generation ?? 1 });
const total = (sets: readonly KubeObject[], key: string): number => sets.reduce((sum, set) => sum + (numberAt(set, "status", key) ?? 0), 0);

export class Deployments {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
  ) {
    queue.on("Deployment", (namespace, name) => this.#deployment(namespace, name));
    queue.on("ReplicaSet", (namespace, name) => this.#replicaSet(namespace, name));
  }

  #deployment(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const deployment = kube.find("apps/v1", "Deployment", namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const owned = kube.owned("apps/v1", "ReplicaSet", deployment);
    const hash = templateHash(deployment);
    const current = owned.find((set) => set.metadata.labels?.[HASH] === hash);
    const old = owned.filter((set) => set !== current);
    const paused = mapAt(deployment, "spec")["paused"] === true;
    if (current === undefined && !paused) {
      const recreate = textAt(deployment, "spec", "strategy", "type") === "Recreate";
      const running = recreate ? old.filter((set) => replicasOf(set) > 0 || (numberAt(set, "status", "replicas") ?? 0) > 0) : [];
      for (const set of running) this.#scale(set, 0);
      if (running.length === 0) this.#createSet(deployment, hash, Math.max(0, ...owned.map(revisionOf)) + 1);
      this.#status(deployment, undefined, old);
      return;
    }
    if (current !== undefined && !paused) {
      const newest = Math.max(...owned.map(revisionOf));
      // A rollback uses an older set again, which becomes the newest revision.
      const revision = String(revisionOf(current) === newest ? newest : newest + 1);
      this.#revise(current, revision);
      this.#revise(deployment, revision);
      this.#scale(current, replicasOf(deployment));
      const ready = numberAt(current, "status", "availableReplicas") ?? 0;
      if (ready >= replicasOf(deployment)) for (const set of old) this.#scale(set, 0);
      this.#prune(deployment, old);
    }
    this.#status(deployment, current, old);
  }

  #createSet(deployment: KubeObject, hash: string, revision: number): void {
    const template = mapAt(deployment, "spec", "template");
    const labels = { ...(mapAt(template, "metadata", "labels") as Record<string, string>), [HASH]: hash };
    const annotations = { [REVISION]: String(revision), "deployment.kubernetes.io/desired-replicas": String(replicasOf(deployment)) };
    const made = this.kube.create({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
        labels,
        annotations,
        ownerReferences: [ownerOf(deployment)],
      },
      spec: {
        replicas: replicasOf(deployment),
        selector: { ...mapAt(deployment, "spec", "selector"), matchLabels: { ...mapAt(deployment, "spec", "selector", "matchLabels"), [HASH]: hash } },
        template: { ...template, metadata: { ...mapAt(template, "metadata"), labels } },
      },
    });
    this.#scaled(made, "up", 0, replicasOf(deployment));
  }

  #revise(object: KubeObject, revision: string): void {
    if (object.metadata.annotations?.[REVISION] === revision) return;
    this.kube.modify(object, (now) => ({ ...now, metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, [REVISION]: revision } } }));
  }

  #scale(set: KubeObject, replicas: number): void {
    if (replicasOf(set) === replicas) return;
    const verb = replicasOf(set) < replicas ? "up" : "down";
    this.kube.modify(set, (now) => ({ ...now, spec: { ...mapAt(now, "spec"), replicas } }));
    this.#scaled(set, verb, replicasOf(set), replicas);
  }

  #scaled(set: KubeObject, verb: "up" | "down", from: number, to: number): void {
    const owner = this.kube.find("apps/v1", "Deployment", set.metadata.namespace, set.metadata.ownerReferences?.[0]?.name ?? "");
    const message = `Scaled ${verb} replica set ${set.metadata.name} from ${from} to ${to}`;
    if (owner !== undefined) noteEvent(this.kube, owner, { type: "Normal", reason: "ScalingReplicaSet", message, component: "deployment-controller" });
  }

  #prune(deployment: KubeObject, old: readonly KubeObject[]): void {
    const kept = numberAt(deployment, "spec", "revisionHistoryLimit") ?? 10;
    const empty = old.filter((set) => replicasOf(set) === 0 && (numberAt(set, "status", "replicas") ?? 0) === 0);
    for (const set of [...empty].sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, empty.length - kept))) this.kube.remove(set);
  }

  #status(deployment: KubeObject, current: KubeObject | undefined, old: readonly KubeObject[]): void {
    const { kube } = this;
    const live = kube.find("apps/v1", "Deployment", deployment.metadata.namespace, deployment.metadata.name);
    if (live === undefined) return;
    const sets = current === undefined ? old : [current, ...old];
    const wanted = replicasOf(live);
    const updated = current === undefined ? 0 : (numberAt(current, "status", "replicas") ?? 0);
    const available = total(sets, "availableReplicas");
    const done = current !== undefined && updated >= wanted && available >= wanted && total(sets, "replicas") === updated;
    const failure = sets.map((set) => conditionOf(set, "ReplicaFailure")).find((condition) => condition?.["status"] === "True");
    const enough = available >= wanted;
    kube.status(live, {
      ...observed(live),
      ...counts({ replicas: total(sets, "replicas"), updatedReplicas: updated, readyReplicas: total(sets, "readyReplicas"), availableReplicas: available }),
      ...counts({ unavailableReplicas: wanted - available }),
      conditions: [
        this.#condition(
          live,
          "Available",
          enough ? "True" : "False",
          enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
          enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
        ),
        this.#progress(live, current, done),
        ...(failure === undefined ? [] : [this.#condition(live, "ReplicaFailure", "True", String(failure["reason"]), String(failure["message"]))]),
      ],
    });
  }

  #condition(deployment: KubeObject, type: string, status: "True" | "False", reason: string, message: string): JsonMap {
    const known = conditionOf(deployment, type);
    const same = known?.["status"] === status && known["reason"] === reason && known["message"] === message;
    return {
      ...this.kube.condition(deployment, type, status, reason, message),
      lastUpdateTime: (same ? textAt(known, "lastUpdateTime") : undefined) ?? this.kube.now(),
    };
  }

  /** Whether the rollout goes on, is done, or takes longer than it may. */
  #progress(deployment: KubeObject, current: KubeObject | undefined, done: boolean): JsonMap {
    const { namespace, name } = deployment.metadata;
    const set = current?.metadata.name ?? name;
    if (done) return this.#condition(deployment, "Progressing", "True", "NewReplicaSetAvailable", `ReplicaSet "${set}" has successfully progressed.`);
    const going = this.#condition(deployment, "Progressing", "True", "ReplicaSetUpdated", `ReplicaSet "${set}" is progressing.`);
    const known = conditionOf(deployment, "Progressing");
    const late = (): JsonMap =>
      this.#condition(deployment, "Progressing", "False", "ProgressDeadlineExceeded", `ReplicaSet "${set}" has timed out progressing.`);
    if (known?.["reason"] === "ProgressDeadlineExceeded" && String(known["message"]).includes(`"${set}"`)) return late();
    const limit = (numberAt(deployment, "spec", "progressDeadlineSeconds") ?? 600) * 1000;
    const left = Date.parse(String(going["lastUpdateTime"])) + limit - Date.parse(this.kube.now());
    if (left <= 0) return late();
    this.queue.after(left, "Deployment", namespace, name);
    return going;
  }

  #replicaSet(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const set = kube.find("apps/v1", "ReplicaSet", namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const pods = kube.owned("v1", "Pod", set).filter((pod) => textAt(pod, "status", "phase") !== "Failed");
    const wanted = replicasOf(set);
    let problem: string | undefined;
    for (let i = pods.length; i < wanted && problem === undefined; i++) {
      problem = podProblem(kube, set);
      if (problem === undefined) createPod(kube, set, `${name}-`);
    }
    // Those that are not ready go first.
    const surplus = [...pods].sort((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, Math.max(0, pods.length - wanted));
    for (const pod of surplus) kube.remove(pod);
    const live = kube.owned("v1", "Pod", set);
    const ready = live.filter(isReady).length;
    const failure = problem === undefined ? [] : [kube.condition(set, "ReplicaFailure", "True", "FailedCreate", problem)];
    kube.status(set, {
      replicas: live.length,
      ...counts({ fullyLabeledReplicas: live.length, readyReplicas: ready, availableReplicas: ready }),
      ...observed(set),
      ...(failure.length > 0 ? { conditions: failure } : {}),
    });
    if (listAt(set, "status", "conditions").length > 0 && failure.length === 0)
      this.queue.add("Deployment", namespace, set.metadata.ownerReferences?.[0]?.name ?? "");
  }
}
