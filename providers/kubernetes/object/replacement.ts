/** Which changes replace an object: the official provider's table, and further immutable fields. */
import type { Values } from "../../sdk/values";
import { FIXED_FIELDS } from "./fixed-fields";

/** Fields of a persistent volume that say where it is. */
const VOLUME_SOURCES = [
  ...["awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker", "gcePersistentDisk", "glusterfs"],
  ...["hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"],
].map((name) => `spec.${name}`);

/** Fields of a pod that may change in place. */
const POD_IN_PLACE = ["spec.activeDeadlineSeconds", "spec.tolerations", "spec.containers.resources", "spec.schedulingGates"];

const RULES: Record<string, readonly string[]> = {
  "apps/v1/Deployment": FIXED_FIELDS.Deployment,
  "apps/v1/DaemonSet": FIXED_FIELDS.DaemonSet,
  "apps/v1/ReplicaSet": FIXED_FIELDS.ReplicaSet,
  "apps/v1/StatefulSet": ["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates", "spec.revisionHistoryLimit"],
  "batch/v1/Job": [...FIXED_FIELDS.Job, "spec.completions", "spec.parallelism"],
  "v1/PersistentVolume": VOLUME_SOURCES,
  "v1/PersistentVolumeClaim": FIXED_FIELDS.PersistentVolumeClaim,
  "v1/Pod": ["spec"],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Service": ["spec.clusterIP"],
  "rbac.authorization.k8s.io/v1/RoleBinding": FIXED_FIELDS.RoleBinding,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": FIXED_FIELDS.ClusterRoleBinding,
  "storage.k8s.io/v1/StorageClass": FIXED_FIELDS.StorageClass,
  "networking.k8s.io/v1/IngressClass": FIXED_FIELDS.IngressClass,
  "scheduling.k8s.io/v1/PriorityClass": FIXED_FIELDS.PriorityClass,
  "node.k8s.io/v1/RuntimeClass": FIXED_FIELDS.RuntimeClass,
};

/** Two settings of the provider allow changes of data in place. An object that is marked immutable is replaced nevertheless. */
export interface Mutability {
  enableSecretMutable: boolean;
  enableConfigMapMutable: boolean;
}

/** Property paths without list indices. @param before,inputs those of the state, and the new ones */
export function replacingPaths(apiVersion: string, kind: string, before: Values, inputs: Values, mutability: Mutability): string[] {
  const key = `${apiVersion}/${kind}`;
  const identity = ["metadata.name", "metadata.namespace"];
  // An object that was marked immutable stays so: the API neither changes its data nor removes the mark.
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
