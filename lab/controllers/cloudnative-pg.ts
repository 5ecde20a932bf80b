/**
 * CloudNativePG, while its Deployment runs: a Cluster becomes its Services, claims and pods, and is ready when they are; roles and
 * databases are applied then. No SQL is spoken.
 */
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { isReady, type Kube, ownerOf } from "./kube";
import type { WorkQueue } from "./queue";

const API = "postgresql.cnpg.io/v1";
const STORE_API = "barmancloud.cnpg.io/v1";
const IN_CLUSTERS = ["Database", "DatabaseRole"] as const;
const PORT = 5432;
/** Pods that a Service of a kind leads to. */
const ROLES = { rw: "primary", ro: "replica", r: undefined } as const;

const instanceLabels = (cluster: string, index: number): Record<string, string> => ({
  "cnpg.io/cluster": cluster,
  "cnpg.io/instanceName": `${cluster}-${index}`,
  "cnpg.io/instanceRole": index === 1 ? "primary" : "replica",
  "cnpg.io/podRole": "instance",
});

export class CloudNativePg {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly runs: () => boolean,
  ) {
    queue.on("Cluster", (namespace, name) => this.#cluster(namespace, name));
    queue.on("ScheduledBackup", (namespace, name) => this.#scheduled(namespace, name));
    for (const kind of IN_CLUSTERS) queue.on(kind, (namespace, name) => this.#inCluster(kind, namespace, name));
  }

  /** Queues everything that it manages; called when it starts. */
  resync(): void {
    for (const kind of ["Cluster", "ScheduledBackup", ...IN_CLUSTERS])
      for (const { metadata } of this.kube.all(API, kind)) this.queue.add(kind, metadata.namespace, metadata.name);
  }

  /** A Secret was created that a Cluster or a role may wait for. */
  secretChanged(namespace: string | undefined): void {
    if (!this.runs()) return;
    for (const kind of ["Cluster", ...IN_CLUSTERS])
      for (const object of this.kube.all(API, kind, namespace)) this.queue.add(kind, namespace, object.metadata.name);
  }

  #cluster(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const cluster = kube.find(API, "Cluster", namespace, name);
    if (!this.runs() || cluster === undefined || namespace === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    const instances = numberAt(cluster, "spec", "instances") ?? 1;
    const missing = this.#missing(cluster, namespace);
    if (missing !== undefined) {
      this.#status(cluster, instances, 0, "Unable to create required cluster objects", missing);
      return;
    }
    this.#services(cluster, namespace);
    for (let index = 1; index <= instances; index++) this.#instance(cluster, namespace, index);
    const ready = kube.owned("v1", "Pod", cluster).filter((pod) => isReady(pod)).length;
    this.#status(cluster, instances, ready, ready === instances ? "Cluster in healthy state" : "Setting up primary", "");
    if (ready === instances)
      for (const kind of ["ScheduledBackup", ...IN_CLUSTERS])
        for (const object of kube.all(API, kind, namespace))
          if (textAt(object, "spec", "cluster", "name") === name) this.queue.add(kind, namespace, object.metadata.name);
  }

  /** What it must have before it begins: the owner's Secret, and the archive with its keys. */
  #missing(cluster: KubeObject, namespace: string): string | undefined {
    const { kube } = this;
    const ways = mapAt(cluster, "spec", "bootstrap");
    const owner = textAt(ways, "initdb", "secret", "name") ?? textAt(ways, "recovery", "secret", "name");
    const plugins = [...listAt(cluster, "spec", "plugins"), ...listAt(cluster, "spec", "externalClusters").map((origin) => mapAt(origin, "plugin"))];
    const stores = plugins.flatMap((plugin) => textAt(plugin, "parameters", "barmanObjectName") ?? []);
    const secrets = stores.flatMap((name) => {
      const configuration = mapAt(kube.find(STORE_API, "ObjectStore", namespace, name), "spec", "configuration");
      const of = (...path: string[]): string[] => [textAt(configuration, ...path, "name") ?? []].flat();
      return [...of("s3Credentials", "accessKeyId"), ...of("s3Credentials", "secretAccessKey"), ...of("endpointCA")];
    });
    const store = stores.find((name) => kube.find(STORE_API, "ObjectStore", namespace, name) === undefined);
    if (store !== undefined) return `objectstores.barmancloud.cnpg.io "${store}" not found`;
    const secret = [...(owner === undefined ? [] : [owner]), ...secrets].find((name) => kube.find("v1", "Secret", namespace, name) === undefined);
    return secret === undefined ? undefined : `secret "${secret}" not found`;
  }

  /** A schedule with `immediate: true` makes one Backup as soon as its cluster is ready. The Backup is complete at once. */
  #scheduled(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const scheduled = kube.find(API, "ScheduledBackup", namespace, name);
    const cluster = textAt(scheduled, "spec", "cluster", "name") ?? "";
    if (!this.runs() || scheduled === undefined || namespace === undefined || at(scheduled, "spec", "immediate") !== true) return;
    if (textAt(scheduled, "status", "lastScheduleTime") !== undefined || !isReady(kube.find(API, "Cluster", namespace, cluster))) return;
    const { method, pluginConfiguration } = mapAt(scheduled, "spec");
    const made = kube.create({
      apiVersion: API,
      kind: "Backup",
      metadata: { name: `${name}-first`, namespace, labels: { "cnpg.io/cluster": cluster }, ownerReferences: [ownerOf(scheduled)] },
      spec: { cluster: { name: cluster }, method: method ?? "plugin", ...(pluginConfiguration === undefined ? {} : { pluginConfiguration }) },
    });
    kube.status(made, { phase: "completed", startedAt: kube.now(), stoppedAt: kube.now() });
    kube.status(scheduled, { lastScheduleTime: kube.now() });
  }

  #services(cluster: KubeObject, namespace: string): void {
    const { name } = cluster.metadata;
    const service = (own: string, kind: keyof typeof ROLES, more: JsonMap = {}, annotations?: JsonMap): void => {
      if (this.kube.find("v1", "Service", namespace, own) !== undefined) return;
      const role = ROLES[kind];
      const selector = { "cnpg.io/cluster": name, ...(role === undefined ? { "cnpg.io/podRole": "instance" } : { "cnpg.io/instanceRole": role }) };
      this.kube.create({
        apiVersion: "v1",
        kind: "Service",
        metadata: {
          name: own,
          namespace,
          ownerReferences: [ownerOf(cluster)],
          ...(annotations === undefined ? {} : { annotations: annotations as Record<string, string> }),
        },
        spec: { type: "ClusterIP", ports: [{ name: "postgres", port: PORT, protocol: "TCP", targetPort: PORT }], selector, ...more },
      });
    };
    for (const kind of ["rw", "ro", "r"] as const) service(`${name}-${kind}`, kind);
    for (const additional of listAt(cluster, "spec", "managed", "services", "additional")) {
      const template = mapAt(additional, "serviceTemplate");
      const own = textAt(template, "metadata", "name");
      if (own !== undefined)
        service(own, (textAt(additional, "selectorType") ?? "rw") as keyof typeof ROLES, mapAt(template, "spec"), mapAt(template, "metadata", "annotations"));
    }
  }

  #instance(cluster: KubeObject, namespace: string, index: number): void {
    const { kube } = this;
    const name = `${cluster.metadata.name}-${index}`;
    const labels = instanceLabels(cluster.metadata.name, index);
    const metadata = { name, namespace, labels, ownerReferences: [ownerOf(cluster)] };
    if (kube.find("v1", "PersistentVolumeClaim", namespace, name) === undefined) {
      const { size, storageClass } = mapAt(cluster, "spec", "storage");
      kube.create({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata,
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: size ?? "1Gi" } },
          ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        },
      });
    }
    if (kube.find("v1", "Pod", namespace, name) !== undefined) return;
    kube.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        nodeName: kube.cluster.node,
        serviceAccountName: "default",
        containers: [
          {
            name: "postgres",
            image: textAt(cluster, "spec", "imageName") ?? "ghcr.io/cloudnative-pg/postgresql",
            ports: [{ name: "postgresql", containerPort: PORT, protocol: "TCP" }],
            resources: mapAt(cluster, "spec", "resources"),
            volumeMounts: [{ name: "pgdata", mountPath: "/var/lib/postgresql/data" }],
          },
        ],
        volumes: [{ name: "pgdata", persistentVolumeClaim: { claimName: name } }],
      },
    });
  }

  #status(cluster: KubeObject, instances: number, ready: number, phase: string, reason: string): void {
    const healthy = ready === instances;
    const [why, message] = healthy ? ["ClusterIsReady", "Cluster is Ready"] : ["ClusterIsNotReady", "Cluster Is Not Ready"];
    const first = `${cluster.metadata.name}-1`;
    this.kube.status(cluster, {
      instances,
      readyInstances: ready,
      phase,
      ...(reason === "" ? {} : { phaseReason: reason }),
      ...(healthy ? { currentPrimary: first, targetPrimary: first } : {}),
      writeService: `${cluster.metadata.name}-rw`,
      readService: `${cluster.metadata.name}-r`,
      conditions: [this.kube.condition(cluster, "Ready", healthy ? "True" : "False", why, message)],
    });
  }

  #inCluster(kind: string, namespace: string | undefined, name: string): void {
    const { kube } = this;
    const object = kube.find(API, kind, namespace, name);
    if (!this.runs() || object === undefined) return;
    const observedGeneration = object.metadata.generation ?? 1;
    const cluster = kube.find(API, "Cluster", namespace, textAt(object, "spec", "cluster", "name") ?? "");
    const secret = textAt(object, "spec", "passwordSecret", "name");
    const missing = secret !== undefined && kube.find("v1", "Secret", namespace, secret) === undefined ? `secret "${secret}" not found` : undefined;
    const problem = isReady(cluster) ? missing : "waiting for the cluster to be ready";
    kube.status(object, problem === undefined ? { applied: true, observedGeneration } : { applied: false, message: problem, observedGeneration });
  }
}
