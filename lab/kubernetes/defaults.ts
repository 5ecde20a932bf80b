/** What the server fills in, as recorded from kube-apiserver 1.34 (tests/contract/kubernetes/recorded). */
import { isMap, type JsonMap, type KubeObject, listAt, mapAt } from "./objects";

function fill(target: JsonMap, defaults: JsonMap): void {
  for (const [key, value] of Object.entries(defaults)) if (target[key] === undefined) target[key] = value;
}

/** `latest` and untagged images are always pulled. */
const pullPolicy = (image: unknown): string =>
  typeof image === "string" && /:[^/:]+$/.test(image) && !image.endsWith(":latest")
    ? "IfNotPresent"
    : image !== undefined && String(image).includes("@sha256:")
      ? "IfNotPresent"
      : "Always";

function probeDefaults(container: JsonMap): void {
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = container[name];
    if (!isMap(probe)) continue;
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
    if (isMap(probe["httpGet"])) fill(probe["httpGet"], { scheme: "HTTP", path: "/" });
  }
}

function volumeDefaults(volume: JsonMap): void {
  for (const kind of ["configMap", "secret", "projected", "downwardAPI"]) if (isMap(volume[kind])) fill(volume[kind] as JsonMap, { defaultMode: 420 });
  const projected = volume["projected"];
  for (const source of listAt(projected, "sources")) if (isMap(source["serviceAccountToken"])) fill(source["serviceAccountToken"], { expirationSeconds: 3600 });
}

/** A pod's or a template's spec. */
function podSpecDefaults(spec: JsonMap): void {
  for (const container of [...listAt(spec, "containers"), ...listAt(spec, "initContainers")]) {
    for (const port of listAt(container, "ports")) fill(port, { protocol: "TCP" });
    fill(container, {
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: pullPolicy(container["image"]),
    });
    for (const variable of listAt(container, "env")) {
      const ref = mapAt(variable, "valueFrom")["fieldRef"];
      if (isMap(ref)) fill(ref, { apiVersion: "v1" });
    }
    probeDefaults(container);
  }
  for (const volume of listAt(spec, "volumes")) volumeDefaults(volume);
  fill(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  });
  if (typeof spec["serviceAccountName"] === "string") fill(spec, { serviceAccount: spec["serviceAccountName"] });
}

const template = (spec: JsonMap): void => {
  const pod = mapAt(spec, "template", "spec");
  if (Object.keys(pod).length > 0) podSpecDefaults(pod);
};

function deployment(spec: JsonMap): void {
  template(spec);
  fill(spec, {
    replicas: 1,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  const strategy = spec["strategy"];
  if (isMap(strategy)) {
    fill(strategy, { type: "RollingUpdate" });
    if (strategy["type"] === "RollingUpdate") {
      fill(strategy, { rollingUpdate: {} });
      fill(strategy["rollingUpdate"] as JsonMap, { maxUnavailable: "25%", maxSurge: "25%" });
    }
  }
}

function statefulSet(spec: JsonMap): void {
  template(spec);
  fill(spec, {
    replicas: 1,
    podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  });
  for (const claim of listAt(spec, "volumeClaimTemplates")) {
    fill(claim, { apiVersion: "v1", kind: "PersistentVolumeClaim", status: { phase: "Pending" } });
    fill(mapAt(claim, "spec"), { volumeMode: "Filesystem" });
  }
}

function service(object: KubeObject, spec: JsonMap): void {
  for (const port of listAt(spec, "ports")) {
    fill(port, { protocol: "TCP" });
    fill(port, { targetPort: port["port"] ?? 0 });
  }
  fill(spec, { type: "ClusterIP", sessionAffinity: "None" });
  if (spec["type"] !== "ExternalName") fill(spec, { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], internalTrafficPolicy: "Cluster" });
  if (spec["type"] === "LoadBalancer" || spec["type"] === "NodePort") fill(spec, { externalTrafficPolicy: "Cluster" });
  if (spec["type"] === "LoadBalancer") fill(spec, { allocateLoadBalancerNodePorts: true });
  if (object["status"] === undefined) object["status"] = { loadBalancer: {} };
}

function secret(object: KubeObject): void {
  const plain = object["stringData"];
  if (isMap(plain)) {
    const data = mapAt(object, "data");
    object["data"] = { ...data, ...Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")])) };
    delete object["stringData"];
  }
  if (object["type"] === undefined) object["type"] = "Opaque";
}

function customResourceDefinition(object: KubeObject, spec: JsonMap): void {
  const names = mapAt(spec, "names");
  const kind = String(names["kind"] ?? "");
  fill(names, { listKind: `${kind}List`, singular: kind.toLowerCase() });
  fill(spec, { conversion: { strategy: "None" } });
  if (object["status"] === undefined) object["status"] = { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: null };
}

const status = (object: KubeObject, value: JsonMap): void => {
  if (object["status"] === undefined) object["status"] = value;
};

function pod(object: KubeObject, spec: JsonMap): void {
  podSpecDefaults(spec);
  fill(spec, { enableServiceLinks: true });
  status(object, { phase: "Pending", qosClass: "BestEffort" });
}

function daemonSet(spec: JsonMap): void {
  template(spec);
  fill(spec, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }, revisionHistoryLimit: 10 });
}

function replicaSet(spec: JsonMap): void {
  template(spec);
  fill(spec, { replicas: 1 });
}

function job(spec: JsonMap): void {
  template(spec);
  fill(spec, {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: "TerminatingOrFailed",
    manualSelector: false,
  });
}

function cronJob(spec: JsonMap): void {
  fill(spec, { concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
}

function claim(object: KubeObject, spec: JsonMap): void {
  fill(spec, { volumeMode: "Filesystem" });
  status(object, { phase: "Pending" });
}

function namespace(object: KubeObject): void {
  object.metadata.labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
  if (object["spec"] === undefined) object["spec"] = { finalizers: ["kubernetes"] };
  status(object, { phase: "Active" });
}

/** Defaults of a workload's spec; its status begins empty. */
const workload =
  (fillIn: (spec: JsonMap) => void) =>
  (object: KubeObject, spec: JsonMap): void => {
    fillIn(spec);
    status(object, {});
  };

/** Other groups have kinds of these names too. */
const core =
  (fillIn: (object: KubeObject, spec: JsonMap) => void) =>
  (object: KubeObject, spec: JsonMap): void => {
    if (object.apiVersion === "v1") fillIn(object, spec);
  };

const DEFAULTS: Readonly<Record<string, (object: KubeObject, spec: JsonMap) => void>> = {
  Pod: pod,
  Deployment: workload(deployment),
  StatefulSet: workload(statefulSet),
  DaemonSet: workload(daemonSet),
  ReplicaSet: workload(replicaSet),
  Job: workload(job),
  CronJob: workload(cronJob),
  Service: core(service),
  Secret: core(secret),
  PersistentVolumeClaim: claim,
  Namespace: namespace,
  Ingress: (object) => status(object, { loadBalancer: {} }),
  CustomResourceDefinition: customResourceDefinition,
};

/** Fills in defaults of fields that the object leaves out. Changes it in place. */
export function applyDefaults(object: KubeObject): void {
  DEFAULTS[object.kind]?.(object, mapAt(object, "spec"));
}
