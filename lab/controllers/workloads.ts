/** What kube-controller-manager, kubelet, k3s' servicelb and Traefik do, as far as clients wait for it. Each function brings the store one step on. */
import type { Cluster } from "../kubernetes";
import { at, type JsonMap, type KubeObject, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";

/** Whether a pod with this image answers its probes now. */
export type Readiness = (pod: KubeObject) => boolean;

const owner = (object: KubeObject) => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  uid: object.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});
const ownedBy = (object: KubeObject, parent: KubeObject): boolean =>
  (object.metadata.ownerReferences ?? []).some((reference) => reference.uid === parent.metadata.uid);
const suffix = (text: string): string =>
  [...Buffer.from(text)]
    .reduce((hash, byte) => (hash * 31 + byte) >>> 0, 7)
    .toString(36)
    .padStart(5, "0")
    .slice(-5);

export class Workloads {
  constructor(
    private readonly cluster: Cluster,
    private readonly ready: Readiness,
  ) {}

  #status(object: KubeObject, status: JsonMap): void {
    const { store } = this.cluster;
    store.modify(
      store.type(object.apiVersion, object.kind),
      object.metadata.namespace,
      object.metadata.name,
      (o) => ({ ...o, status: { ...mapAt(o, "status"), ...status } }),
      { subresource: "status", manager: "k3s" },
    );
  }

  #create(object: KubeObject): void {
    const { store } = this.cluster;
    store.create(store.type(object.apiVersion, object.kind), object.metadata.namespace, object, { manager: "k3s" });
  }

  #delete(object: KubeObject): void {
    const { store } = this.cluster;
    store.delete(store.type(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name);
  }

  reconcile(): void {
    this.namespaces();
    this.definitions();
    this.accounts();
    for (const set of this.cluster.store.all("apps/v1", "Deployment")) this.deployment(set);
    for (const set of this.cluster.store.all("apps/v1", "ReplicaSet")) this.pods(set, numberAt(set, "spec", "replicas") ?? 1);
    for (const set of this.cluster.store.all("apps/v1", "StatefulSet")) this.pods(set, numberAt(set, "spec", "replicas") ?? 1);
    for (const set of this.cluster.store.all("apps/v1", "DaemonSet")) this.pods(set, 1);
    for (const job of this.cluster.store.all("batch/v1", "Job")) this.job(job);
    for (const pod of this.cluster.store.all("v1", "Pod")) this.pod(pod);
    for (const claim of this.cluster.store.all("v1", "PersistentVolumeClaim"))
      if (textAt(claim, "status", "phase") !== "Bound")
        this.#status(claim, {
          phase: "Bound",
          accessModes: (at(claim, "spec", "accessModes") as string[]) ?? [],
          capacity: mapAt(claim, "spec", "resources", "requests"),
        });
    for (const service of this.cluster.store.all("v1", "Service")) this.service(service);
    for (const ingress of this.cluster.store.all("networking.k8s.io/v1", "Ingress")) this.ingress(ingress);
  }

  namespaces(): void {
    const { store } = this.cluster;
    for (const { metadata } of store.all("v1", "Namespace")) {
      if (metadata.deletionTimestamp !== undefined) store.finalizeNamespace(metadata.name);
      else {
        if (store.one("v1", "ServiceAccount", metadata.name, "default") === undefined)
          this.#create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: metadata.name } });
        if (store.one("v1", "ConfigMap", metadata.name, "kube-root-ca.crt") === undefined)
          this.#create({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "kube-root-ca.crt", namespace: metadata.name },
            data: { "ca.crt": this.cluster.caPem },
          });
      }
    }
  }

  definitions(): void {
    for (const crd of this.cluster.store.all("apiextensions.k8s.io/v1", "CustomResourceDefinition")) {
      if (listAt(crd, "status", "conditions").some((c) => c["type"] === "Established" && c["status"] === "True")) continue;
      const time = this.cluster.store.now();
      const versions = listAt(crd, "spec", "versions")
        .filter((v) => v["storage"] === true)
        .map((v) => String(v["name"]));
      this.#status(crd, {
        acceptedNames: mapAt(crd, "spec", "names"),
        storedVersions: versions,
        conditions: [
          { type: "NamesAccepted", status: "True", lastTransitionTime: time, reason: "NoConflicts", message: "no conflicts found" },
          { type: "Established", status: "True", lastTransitionTime: time, reason: "InitialNamesAccepted", message: "the initial names have been accepted" },
        ],
      });
    }
  }

  /** Secrets of type service-account-token get their token. */
  accounts(): void {
    const { store, tokens, caPem } = this.cluster;
    for (const secret of store.all("v1", "Secret")) {
      if (secret["type"] !== "kubernetes.io/service-account-token" || at(secret, "data", "token") !== undefined) continue;
      const { namespace = "default", name, annotations } = secret.metadata;
      const account = store.one("v1", "ServiceAccount", namespace, annotations?.["kubernetes.io/service-account.name"] ?? "");
      if (account === undefined) continue;
      const encode = (text: string): string => Buffer.from(text).toString("base64");
      const { token } = tokens.issue(account, ["https://kubernetes.default.svc.cluster.local"], 315_360_000);
      store.modify(
        store.type("v1", "Secret"),
        namespace,
        name,
        (o) => ({
          ...o,
          data: { ...mapAt(o, "data"), token: encode(token), "ca.crt": encode(caPem), namespace: encode(namespace) },
          metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, "kubernetes.io/service-account.uid": account.metadata.uid ?? "" } },
        }),
        { manager: "k3s" },
      );
    }
  }

  deployment(set: KubeObject): void {
    const { store } = this.cluster;
    const { namespace, name } = set.metadata;
    const template = mapAt(set, "spec", "template");
    const hash = suffix(JSON.stringify(template));
    const replicas = numberAt(set, "spec", "replicas") ?? 1;
    const own = store.all("apps/v1", "ReplicaSet", namespace).filter((r) => ownedBy(r, set));
    const labels = { ...(mapAt(template, "metadata", "labels") as Record<string, string>), "pod-template-hash": hash };
    const current = own.find((r) => r.metadata.labels?.["pod-template-hash"] === hash);
    if (current === undefined) {
      this.#create({
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { name: `${name}-${hash}`, namespace: namespace ?? "default", labels, ownerReferences: [owner(set)] },
        spec: {
          replicas,
          selector: { matchLabels: { ...mapAt(set, "spec", "selector", "matchLabels"), "pod-template-hash": hash } },
          template: { ...template, metadata: { ...mapAt(template, "metadata"), labels } },
        },
      });
      return;
    }
    if (numberAt(current, "spec", "replicas") !== replicas)
      store.modify(store.type("apps/v1", "ReplicaSet"), namespace, current.metadata.name, (o) => ({ ...o, spec: { ...mapAt(o, "spec"), replicas } }), {
        manager: "k3s",
      });
    const ready = numberAt(current, "status", "readyReplicas") ?? 0;
    if (ready >= replicas) for (const old of own) if (old !== current) this.#delete(old);
    const done = ready >= replicas;
    const known = listAt(set, "status", "conditions");
    const stamp = (type: string, status: string) => known.find((c) => c["type"] === type && c["status"] === status)?.["lastTransitionTime"] ?? store.now();
    this.#status(set, {
      observedGeneration: set.metadata.generation ?? 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: replicas - ready,
      conditions: [
        {
          type: "Available",
          status: done ? "True" : "False",
          lastTransitionTime: stamp("Available", done ? "True" : "False"),
          lastUpdateTime: stamp("Available", done ? "True" : "False"),
          reason: done ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
          message: done ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
        },
        {
          type: "Progressing",
          status: "True",
          lastTransitionTime: stamp("Progressing", "True"),
          lastUpdateTime: stamp("Progressing", "True"),
          reason: done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
          message: `ReplicaSet "${name}-${hash}" ${done ? "has successfully progressed" : "is progressing"}.`,
        },
      ],
    });
  }

  /** Pods of a replica set, stateful set or daemon set. */
  pods(set: KubeObject, replicas: number): void {
    const { store, node } = this.cluster;
    const { namespace = "default", name } = set.metadata;
    const template = mapAt(set, "spec", "template");
    const stateful = set.kind === "StatefulSet";
    const wanted = new Set(Array.from({ length: replicas }, (_, i) => (stateful ? `${name}-${i}` : `${name}-${suffix(`${name}${i}`)}`)));
    const own = store.all("v1", "Pod", namespace).filter((pod) => ownedBy(pod, set));
    for (const pod of own) {
      const stale =
        !wanted.has(pod.metadata.name) || (set.kind !== "ReplicaSet" && pod.metadata.labels?.["controller-revision-hash"] !== suffix(JSON.stringify(template)));
      if (stale) this.#delete(pod);
    }
    for (const podName of wanted) {
      if (store.one("v1", "Pod", namespace, podName) !== undefined) continue;
      const labels = {
        ...(mapAt(template, "metadata", "labels") as Record<string, string>),
        ...(set.kind === "ReplicaSet" ? {} : { "controller-revision-hash": suffix(JSON.stringify(template)) }),
        ...(stateful ? { "statefulset.kubernetes.io/pod-name": podName } : {}),
      };
      this.#create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: podName, namespace, labels, ownerReferences: [owner(set)] },
        spec: { ...mapAt(template, "spec"), nodeName: node },
      });
    }
    const ready = own.filter(
      (pod) => wanted.has(pod.metadata.name) && listAt(pod, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === "True"),
    ).length;
    const observed = { observedGeneration: set.metadata.generation ?? 1 };
    const revision = `${name}-${suffix(JSON.stringify(template))}`;
    if (set.kind === "DaemonSet")
      this.#status(set, {
        ...observed,
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        updatedNumberScheduled: 1,
        numberReady: ready,
        numberAvailable: ready,
        numberMisscheduled: 0,
      });
    else if (stateful)
      this.#status(set, {
        ...observed,
        replicas,
        currentReplicas: replicas,
        updatedReplicas: replicas,
        readyReplicas: ready,
        availableReplicas: ready,
        currentRevision: revision,
        updateRevision: revision,
        collisionCount: 0,
      });
    else this.#status(set, { ...observed, replicas, fullyLabeledReplicas: replicas, readyReplicas: ready, availableReplicas: ready });
  }

  pod(pod: KubeObject): void {
    const ready = this.ready(pod);
    const status = ready ? "True" : "False";
    if (listAt(pod, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === status)) return;
    const time = this.cluster.store.now();
    const started = textAt(pod, "status", "startTime") ?? time;
    this.#status(pod, {
      phase: "Running",
      hostIP: this.cluster.address,
      podIP: `10.42.0.${10 + (Number.parseInt(suffix(pod.metadata.name), 36) % 240)}`,
      startTime: started,
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: type === "Ready" || type === "ContainersReady" ? status : "True",
        lastProbeTime: null,
        lastTransitionTime: time,
      })),
      containerStatuses: listAt(pod, "spec", "containers").map((c) => ({
        name: String(c["name"]),
        image: String(c["image"]),
        imageID: "",
        ready,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: started } },
      })),
    });
  }

  job(job: KubeObject): void {
    if (listAt(job, "status", "conditions").some((c) => c["type"] === "Complete")) return;
    const time = this.cluster.store.now();
    this.#status(job, {
      startTime: time,
      completionTime: time,
      succeeded: numberAt(job, "spec", "completions") ?? 1,
      conditions: [{ type: "Complete", status: "True", lastProbeTime: time, lastTransitionTime: time }],
    });
  }

  service(service: KubeObject): void {
    const { store, disabled, address } = this.cluster;
    const { namespace = "default", name } = service.metadata;
    if (textAt(service, "spec", "type") === "LoadBalancer" && !disabled.includes("servicelb"))
      this.#status(service, { loadBalancer: { ingress: [{ ip: address, ipMode: "VIP" }] } });
    const selector = mapAt(service, "spec", "selector");
    if (Object.keys(selector).length === 0) return;
    const pods = store.all("v1", "Pod", namespace).filter((pod) => Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value));
    const isReady = (pod: KubeObject): boolean => listAt(pod, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === "True");
    const ports = listAt(service, "spec", "ports").map((port) => ({
      ...(typeof port["name"] === "string" ? { name: port["name"] } : {}),
      port: typeof port["targetPort"] === "number" ? port["targetPort"] : Number(port["port"]),
      protocol: String(port["protocol"] ?? "TCP"),
    }));
    const entry = (pod: KubeObject) => ({
      ip: textAt(pod, "status", "podIP") ?? "",
      nodeName: this.cluster.node,
      targetRef: { kind: "Pod", namespace, name: pod.metadata.name, uid: pod.metadata.uid ?? "" },
    });
    const running = pods.filter((pod) => textAt(pod, "status", "podIP") !== undefined);
    const [up, down] = [running.filter(isReady).map(entry), running.filter((pod) => !isReady(pod)).map(entry)];
    const subsets =
      running.length === 0 ? undefined : [{ ...(up.length > 0 ? { addresses: up } : {}), ...(down.length > 0 ? { notReadyAddresses: down } : {}), ports }];
    const desired: KubeObject = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, ownerReferences: [owner(service)] },
      ...(subsets ? { subsets } : {}),
    };
    const type = store.type("v1", "Endpoints");
    if (store.find(type, namespace, name) === undefined) store.create(type, namespace, desired, { manager: "k3s" });
    else store.modify(type, namespace, name, (o) => ({ ...desired, metadata: o.metadata }), { manager: "k3s" });
  }

  ingress(ingress: KubeObject): void {
    if (!this.cluster.disabled.includes("traefik")) this.#status(ingress, { loadBalancer: { ingress: [{ ip: this.cluster.address }] } });
  }
}
