/** The kubelet and the scheduler: pods start when what they refer to is there, and are ready when their program is. */
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, textAt } from "../kubernetes/objects";
import { noteEvent } from "./event-log";
import { IMAGE_TO_FILL_IN } from "./istio-injection";
import { conditionOf, controllerOf, type Kube } from "./kube";
import { type Blocker, blockerOf } from "./pod-starts";
import type { Programs } from "./programs";
import type { WorkQueue } from "./queue";

/** How long a kubelet waits after an image could not be had. */
const PULL_BACKOFF_MS = 10_000;
/** How long the program of a job waits for what it needs before it asks again. */
const JOB_LOOKS_AGAIN_MS = 1_000;

/** Statuses of containers as the kubelet writes them. @param more fields of each; without them a container is neither ready nor started */
const statusesOf = (containers: readonly JsonMap[], more: JsonMap): JsonMap[] =>
  containers.map((container) => ({
    ...{ name: String(container["name"]), image: String(container["image"]), imageID: "" },
    ...{ ready: false, started: false, restartCount: 0, lastState: {} },
    ...more,
  }));

export class Pods {
  /** Uids of pods whose containers are being created or exist. */
  readonly #making = new Set<string>();

  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly programs: Programs,
    private readonly ctx: LabContext,
  ) {
    queue.on("Pod", (namespace, name) => this.#reconcile(namespace, name));
  }

  async #reconcile(namespace: string | undefined, name: string): Promise<void> {
    const pod = this.kube.find("v1", "Pod", namespace, name);
    if (pod === undefined) return this.programs.ended(`${namespace}/${name}`);
    const phase = textAt(pod, "status", "phase");
    if (phase === "Succeeded" || phase === "Failed") return undefined;
    if (textAt(pod, "spec", "nodeName") === undefined) {
      this.kube.modify(pod, (current) => ({ ...current, spec: { ...(current["spec"] as JsonMap), nodeName: this.kube.cluster.node } }));
      const where = `${namespace}/${name} to ${this.kube.cluster.node}`;
      noteEvent(this.kube, pod, { type: "Normal", reason: "Scheduled", message: `Successfully assigned ${where}`, component: "default-scheduler" });
      return undefined;
    }
    if (phase !== "Running") {
      const blocker = blockerOf(this.kube, pod) ?? this.#pullProblem(pod);
      if (blocker !== undefined) {
        this.#blocked(pod, blocker);
        return this.#waiting(pod, blocker);
      }
      const uid = pod.metadata.uid ?? "";
      const wait = this.ctx.latency.of("kubernetes.pod-ready");
      if (wait > 0 && !this.#making.has(uid)) {
        this.#making.add(uid);
        this.#waiting(pod, { reason: "ContainerCreating", message: "" });
        return this.queue.after(wait, "Pod", namespace, name);
      }
      this.#making.delete(uid);
      this.#started(pod);
    }
    const owner = controllerOf(pod);
    if (owner?.kind === "Job") {
      const finished = this.programs.finished(pod);
      if (finished !== false) return this.#ended(pod, finished === true ? undefined : finished.failure);
      this.#running(pod, true);
      return this.queue.after(JOB_LOOKS_AGAIN_MS, "Pod", namespace, name);
    }
    const ready = await this.programs.ready(pod);
    const live = this.kube.find("v1", "Pod", namespace, name);
    if (live?.metadata.uid === pod.metadata.uid && live !== undefined) this.#running(live, ready);
    return undefined;
  }

  /** Reports why a pod waits. The same reason is not reported again. */
  #blocked(pod: KubeObject, { reason, message }: { reason: string; message: string }): void {
    const known = textAt(pod, "status", "containerStatuses", 0, "state", "waiting", "message") ?? conditionOf(pod, "PodScheduled")?.["message"];
    if (known === message) return;
    const names: Record<string, string> = { Unschedulable: "FailedScheduling", ContainerCreating: "FailedMount", ImagePullBackOff: "BackOff" };
    const component = reason === "Unschedulable" ? "default-scheduler" : "kubelet";
    noteEvent(this.kube, pod, { type: "Warning", reason: names[reason] ?? "Failed", message, component });
  }

  #started(pod: KubeObject): void {
    for (const container of listAt(pod, "spec", "containers")) {
      const [name, image] = [String(container["name"]), String(container["image"])];
      noteEvent(this.kube, pod, { type: "Normal", reason: "Pulled", message: `Successfully pulled image "${image}"`, component: "kubelet" });
      noteEvent(this.kube, pod, { type: "Normal", reason: "Created", message: `Created container: ${name}`, component: "kubelet" });
      noteEvent(this.kube, pod, { type: "Normal", reason: "Started", message: `Started container ${name}`, component: "kubelet" });
    }
  }

  #pullProblem(pod: KubeObject): { reason: "ImagePullBackOff"; message: string } | undefined {
    for (const container of listAt(pod, "spec", "containers")) {
      const image = String(container["image"]);
      if (image !== IMAGE_TO_FILL_IN && this.ctx.faults.take("kubernetes.image-pull", image) === undefined) continue;
      this.queue.after(PULL_BACKOFF_MS, "Pod", pod.metadata.namespace, pod.metadata.name);
      return { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": not found` };
    }
    return undefined;
  }

  #conditions(pod: KubeObject, states: Readonly<Record<string, boolean>>, problem?: { reason: string; message: string }): JsonMap[] {
    return ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => {
      const status = states[type] === false ? "False" : "True";
      const known = conditionOf(pod, type);
      const since = known?.["status"] === status ? known["lastTransitionTime"] : undefined;
      return { type, status, lastProbeTime: null, lastTransitionTime: since ?? this.kube.now(), ...(status === "False" && problem ? problem : {}) };
    });
  }

  #waiting(pod: KubeObject, blocker: Blocker | { reason: string; message: string }): void {
    const scheduled = blocker.reason !== "Unschedulable";
    const containers = listAt(pod, "spec", "containers");
    const names = containers.map((container) => String(container["name"])).join(" ");
    const down = { PodScheduled: scheduled, PodReadyToStartContainers: false, Ready: false, ContainersReady: false };
    const problem = scheduled
      ? { reason: "ContainersNotReady", message: `containers with unready status: [${names}]` }
      : { reason: "Unschedulable", message: blocker.message };
    this.kube.status(pod, {
      phase: "Pending",
      qosClass: "BestEffort",
      conditions: scheduled ? this.#conditions(pod, down, problem) : this.#conditions(pod, down, problem).filter((c) => c["type"] === "PodScheduled"),
      ...(scheduled
        ? {
            hostIP: this.kube.cluster.address,
            startTime: textAt(pod, "status", "startTime") ?? this.kube.now(),
            containerStatuses: statusesOf(containers, {
              state: { waiting: { reason: blocker.reason, ...(blocker.message === "" ? {} : { message: blocker.message }) } },
            }),
          }
        : {}),
    });
  }

  /** An address of the node's range that no other pod has. */
  #address(pod: KubeObject): string {
    const own = textAt(pod, "status", "podIP");
    if (own !== undefined) return own;
    const taken = new Set(this.kube.all("v1", "Pod").map((other) => textAt(other, "status", "podIP")));
    let n = 10;
    while (taken.has(`10.42.${n >> 8}.${n & 255}`)) n++;
    return `10.42.${n >> 8}.${n & 255}`;
  }

  #running(pod: KubeObject, ready: boolean): void {
    const startedAt = textAt(pod, "status", "containerStatuses", 0, "state", "running", "startedAt") ?? this.kube.now();
    const podIP = this.#address(pod);
    const containers = listAt(pod, "spec", "containers");
    const names = containers.map((container) => String(container["name"])).join(" ");
    const problem = { reason: "ContainersNotReady", message: `containers with unready status: [${names}]` };
    this.kube.status(pod, {
      phase: "Running",
      qosClass: "BestEffort",
      hostIP: this.kube.cluster.address,
      hostIPs: [{ ip: this.kube.cluster.address }],
      podIP,
      podIPs: [{ ip: podIP }],
      startTime: textAt(pod, "status", "startTime") ?? startedAt,
      conditions: this.#conditions(pod, { Ready: ready, ContainersReady: ready }, problem),
      containerStatuses: statusesOf(containers, {
        containerID: `containerd://${(pod.metadata.uid ?? "").replaceAll("-", "")}`,
        ready,
        started: true,
        state: { running: { startedAt } },
      }),
    });
  }

  /** @param failure the last message of a program that failed; undefined: it succeeded */
  #ended(pod: KubeObject, failure: string | undefined): void {
    const time = this.kube.now();
    const how = failure === undefined ? { exitCode: 0, reason: "Completed" } : { exitCode: 1, reason: "Error", message: failure };
    this.kube.status(pod, {
      phase: failure === undefined ? "Succeeded" : "Failed",
      qosClass: "BestEffort",
      hostIP: this.kube.cluster.address,
      podIP: this.#address(pod),
      startTime: time,
      conditions: this.#conditions(
        pod,
        { Ready: false, ContainersReady: false },
        { reason: failure === undefined ? "PodCompleted" : "PodFailed", message: "" },
      ),
      containerStatuses: statusesOf(listAt(pod, "spec", "containers"), { state: { terminated: { ...how, startedAt: time, finishedAt: time } } }),
    });
  }
}
