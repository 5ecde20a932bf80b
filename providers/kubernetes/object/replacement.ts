/** Which changes make an object anew: the official provider's table, and fields beside it that the API refuses to change. */
import type { Values } from "../../sdk/values";

/** Fields of a persistent volume that say where it is. */
const VOLUME_SOURCES = [
  ...["awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker", "gcePersistentDisk", "glusterfs"],
  ...["hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"],
].map((name) => `spec.${name}`);

/** Fields of a pod that may change in place. */
const POD_IN_PLACE = ["spec.activeDeadlineSeconds", "spec.tolerations", "spec.containers.resources", "spec.schedulingGates"];

const SELECTOR = ["spec.selector"];
const ROLE = ["roleRef"];

/** Beside the official table, as ValidateJobUpdate of Kubernetes 1.36 has them. */
const JOB_FOR_LIFE = ["completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy"].map((name) => `spec.${name}`);
const CLAIM_FOR_LIFE = ["volumeMode", "dataSource", "dataSourceRef"].map((name) => `spec.${name}`);

const RULES: Record<string, readonly string[]> = {
  "apps/v1/Deployment": SELECTOR,
  "apps/v1/DaemonSet": SELECTOR,
  "apps/v1/ReplicaSet": SELECTOR,
  "apps/v1/StatefulSet": [...SELECTOR, "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates", "spec.revisionHistoryLimit"],
  "batch/v1/Job": [...SELECTOR, "spec.template", "spec.completions", "spec.parallelism", ...JOB_FOR_LIFE],
  "v1/PersistentVolume": VOLUME_SOURCES,
  "v1/PersistentVolumeClaim": ["spec.accessModes", "spec.storageClassName", "spec.volumeName", "spec.selector", ...CLAIM_FOR_LIFE],
  "v1/Pod": ["spec"],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Service": ["spec.clusterIP"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ROLE,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ROLE,
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
  // The rest is beside the official table: what the API refuses to change.
  "networking.k8s.io/v1/IngressClass": ["spec.controller"],
  "scheduling.k8s.io/v1/PriorityClass": ["value", "preemptionPolicy"],
  "node.k8s.io/v1/RuntimeClass": ["handler"],
};

/** What two settings of the provider make changeable in place; an object marked immutable is replaced all the same. */
export interface Mutability {
  enableSecretMutable: boolean;
  enableConfigMapMutable: boolean;
}

/** Property paths without list indices. @param before,inputs those of the state, and the new ones */
export function replacingPaths(apiVersion: string, kind: string, before: Values, inputs: Values, mutability: Mutability): string[] {
  const key = `${apiVersion}/${kind}`;
  const identity = ["metadata.name", "metadata.namespace"];
  // What was immutable stays so: the API takes neither other data nor the mark away.
  const was = before["immutable"] === true;
  const immutable = was || inputs["immutable"] === true;
  if (key === "v1/Secret" || key === "v1/ConfigMap") identity.push(...(was ? ["immutable"] : []));
  if (key === "v1/Secret") return [...identity, "type", ...(mutability.enableSecretMutable && !immutable ? [] : ["data", "stringData"])];
  if (key === "v1/ConfigMap") return [...identity, ...(mutability.enableConfigMapMutable && !immutable ? [] : ["data", "binaryData"])];
  return [...identity, ...(RULES[key] ?? [])];
}

/** Whether a path that {@link replacingPaths} covers may change in place after all. */
export const changesInPlace = (apiVersion: string, kind: string, path: string): boolean =>
  apiVersion === "v1" && kind === "Pod" && POD_IN_PLACE.some((inner) => path === inner || path.startsWith(`${inner}.`));
