/** What every namespace, definition, account and claim gets: kube-controller-manager's smaller controllers, and k3s' local-path. */
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, listAt, mapAt, textAt } from "../kubernetes/objects";
import { conditionOf, encode64, type Kube } from "./kube";
import { forgetLonghornVolume, LONGHORN_DRIVER, longhornVolume } from "./longhorn";
import type { WorkQueue } from "./queue";

const TEN_YEARS_S = 315_360_000;
const TOKEN_SECRET = "kubernetes.io/service-account-token";
const ACCOUNT = "kubernetes.io/service-account.name";
const LOCAL_PATH = "rancher.io/local-path";
const STORAGE = "/var/lib/rancher/k3s/storage";

export function clusterBasics(kube: Kube, queue: WorkQueue, ctx: LabContext): void {
  namespaces(kube, queue, ctx);
  definitions(kube, queue);
  accountTokens(kube, queue);
  claims(kube, queue);
}

/** Each namespace gets its account and the cluster's authority; one that is being deleted is emptied. */
function namespaces(kube: Kube, queue: WorkQueue, ctx: LabContext): void {
  const ending = new Set<string>();
  queue.on("Namespace", (_, name) => {
    const namespace = kube.find("v1", "Namespace", undefined, name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp !== undefined) {
      const wait = ctx.latency.of("kubernetes.namespace-finalize");
      if (wait > 0 && !ending.has(name)) {
        ending.add(name);
        queue.after(wait, "Namespace", undefined, name);
        return;
      }
      kube.store.finalizeNamespace(name);
      if (kube.find("v1", "Namespace", undefined, name) === undefined) ending.delete(name);
      return;
    }
    if (kube.find("v1", "ServiceAccount", name, "default") === undefined)
      kube.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: name } });
    if (kube.find("v1", "ConfigMap", name, "kube-root-ca.crt") === undefined) {
      const annotations = {
        "kubernetes.io/description":
          "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
      };
      kube.create({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "kube-root-ca.crt", namespace: name, annotations },
        data: { "ca.crt": kube.cluster.caPem },
      });
    }
  });
}

function definitions(kube: Kube, queue: WorkQueue): void {
  queue.on("CustomResourceDefinition", (_, name) => {
    const crd = kube.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, name);
    if (crd === undefined || conditionOf(crd, "Established")?.["status"] === "True") return;
    const stored = listAt(crd, "spec", "versions").filter((version) => version["storage"] === true);
    kube.status(crd, {
      acceptedNames: mapAt(crd, "spec", "names"),
      storedVersions: stored.map((version) => String(version["name"])),
      conditions: [
        kube.condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found"),
        kube.condition(crd, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
      ],
    });
  });
}

/** Secrets that ask for an account's token. */
function accountTokens(kube: Kube, queue: WorkQueue): void {
  queue.on("Secret", (namespace, name) => {
    const secret = kube.find("v1", "Secret", namespace, name);
    if (secret?.["type"] !== TOKEN_SECRET) return;
    const account = kube.find("v1", "ServiceAccount", namespace, secret.metadata.annotations?.[ACCOUNT] ?? "");
    const filled = at(secret, "data", "token") !== undefined;
    // Without its account the token is deleted.
    if (account === undefined) return filled ? kube.remove(secret) : undefined;
    if (filled) return undefined;
    const { token } = kube.cluster.tokens.issue(account, ["https://kubernetes.default.svc.cluster.local"], TEN_YEARS_S);
    return kube.modify(secret, (current) => ({
      ...current,
      data: { ...mapAt(current, "data"), token: encode64(token), "ca.crt": encode64(kube.cluster.caPem), namespace: encode64(namespace ?? "") },
      metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, "kubernetes.io/service-account.uid": account.metadata.uid ?? "" } },
    }));
  });

  queue.on("ServiceAccount", (namespace, name) => {
    for (const secret of kube.all("v1", "Secret", namespace))
      if (secret["type"] === TOKEN_SECRET && secret.metadata.annotations?.[ACCOUNT] === name) queue.add("Secret", namespace, secret.metadata.name);
    if (name === "default" && namespace !== undefined) queue.add("Namespace", undefined, namespace);
  });
}

function claims(kube: Kube, queue: WorkQueue): void {
  queue.on("PersistentVolumeClaim", (namespace, name) => {
    const claim = kube.find("v1", "PersistentVolumeClaim", namespace, name);
    if (claim === undefined) {
      for (const volume of kube.all("v1", "PersistentVolume")) {
        const claimed = mapAt(volume, "spec", "claimRef");
        if (claimed["namespace"] !== namespace || claimed["name"] !== name || textAt(volume, "spec", "persistentVolumeReclaimPolicy") === "Retain") continue;
        kube.remove(volume);
        forgetLonghornVolume(kube, volume.metadata.name);
      }
    } else if (textAt(claim, "status", "phase") !== "Bound") bind(kube, claim);
  });
}

const usesClaim = (pod: KubeObject, name: string): boolean =>
  listAt(pod, "spec", "volumes").some((volume) => textAt(volume, "persistentVolumeClaim", "claimName") === name);

/** Binds a claim to the volume that it names, if the volume exists and is reserved for the claim. */
function bindStatically(kube: Kube, claim: KubeObject): void {
  const { name, namespace = "default", uid = "" } = claim.metadata;
  const volume = kube.find("v1", "PersistentVolume", undefined, textAt(claim, "spec", "volumeName") ?? "");
  const reserved = mapAt(volume, "spec", "claimRef");
  if (volume === undefined || (reserved["name"] !== undefined && (reserved["name"] !== name || reserved["namespace"] !== namespace))) return;
  kube.modify(volume, (current) => ({
    ...current,
    spec: { ...mapAt(current, "spec"), claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid } },
  }));
  kube.status(kube.find("v1", "PersistentVolume", undefined, volume.metadata.name) ?? volume, { phase: "Bound" });
  kube.status(claim, {
    phase: "Bound",
    accessModes: (at(claim, "spec", "accessModes") as string[] | undefined) ?? [],
    capacity: mapAt(volume, "spec", "capacity"),
  });
}

/** Binds a claim to a volume as soon as its storage class allows it. */
function bind(kube: Kube, claim: KubeObject): void {
  const { name, namespace = "default", uid = "" } = claim.metadata;
  if (textAt(claim, "spec", "volumeName") !== undefined) {
    bindStatically(kube, claim);
    return;
  }
  const classes = kube.all("storage.k8s.io/v1", "StorageClass");
  const wanted = textAt(claim, "spec", "storageClassName");
  const fallback = classes.find(({ metadata }) => metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true");
  const storage = wanted === undefined ? fallback : classes.find(({ metadata }) => metadata.name === wanted);
  // Other classes have no provisioner here: the claim stays pending, as on a real cluster.
  const provisioner = storage?.["provisioner"];
  if (storage === undefined || (provisioner !== LOCAL_PATH && provisioner !== LONGHORN_DRIVER)) return;
  if (storage["volumeBindingMode"] === "WaitForFirstConsumer" && !kube.all("v1", "Pod", namespace).some((pod) => usesClaim(pod, name))) return;
  const volume = `pvc-${uid}`;
  const accessModes = at(claim, "spec", "accessModes") ?? ["ReadWriteOnce"];
  const capacity = mapAt(claim, "spec", "resources", "requests");
  const { node } = kube.cluster;
  if (kube.find("v1", "PersistentVolume", undefined, volume) === undefined) {
    const source =
      provisioner === LONGHORN_DRIVER
        ? longhornVolume(kube, volume, capacity["storage"])
        : {
            hostPath: { path: `${STORAGE}/${volume}_${namespace}_${name}`, type: "DirectoryOrCreate" },
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }] },
            },
          };
    const created = kube.create({
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: volume, annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
      spec: {
        accessModes,
        capacity,
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
        ...source,
        persistentVolumeReclaimPolicy: String(storage["reclaimPolicy"] ?? "Delete"),
        storageClassName: storage.metadata.name,
        volumeMode: "Filesystem",
      },
    });
    kube.status(created, { phase: "Bound" });
  }
  kube.modify(claim, (current) => ({ ...current, spec: { ...mapAt(current, "spec"), volumeName: volume, storageClassName: storage.metadata.name } }));
  const bound = kube.find("v1", "PersistentVolumeClaim", namespace, name);
  if (bound !== undefined) kube.status(bound, { phase: "Bound", accessModes: accessModes as string[], capacity });
}
