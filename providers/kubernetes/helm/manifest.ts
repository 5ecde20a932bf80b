/** Objects of a chart, as they are rendered and as records keep them. */
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { ObjectRef } from "../client";

export const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof objectSchema>;

/** Helm's order of kinds, as far as charts here use them. */
const ORDER = [
  ...["Namespace", "NetworkPolicy", "ResourceQuota", "ServiceAccount", "Secret", "ConfigMap", "StorageClass", "PersistentVolumeClaim"],
  ...["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "DaemonSet", "Pod", "ReplicaSet"],
  ...["Deployment", "StatefulSet", "Job", "CronJob", "Ingress"],
];
export const rank = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);

/** @param namespace of objects that name none */
export const refOfManifest = ({ apiVersion, kind, metadata }: Manifest, namespace: string): ObjectRef => ({
  apiVersion,
  kind,
  namespace: metadata.namespace ?? namespace,
  name: metadata.name,
});

/** @param yaml documents of a record; undefined: none */
export function manifestsIn(yaml: string | undefined): Manifest[] {
  return parseAllDocuments(yaml ?? "").flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [objectSchema.parse(value)];
  });
}
