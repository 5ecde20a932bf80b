/** Objects of a chart, as they are rendered and as records keep them. */
import { parseAllDocuments, stringify } from "yaml";
import { z } from "zod";
import { compactJson } from "../../../common/compact-json";
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

/** An object as a record keeps it. Definitions are long and nobody reads them there: they are JSON, which is YAML that is read fast. */
export const recorded = (object: Manifest): string => (object.kind === "CustomResourceDefinition" ? `${JSON.stringify(object)}\n` : stringify(object));

/** A line of three dashes begins a document, wherever it stands but in an indented text. */
const DOCUMENTS = /^---(?:[ \t]*#.*)?[ \t]*\n/m;

/** @param yaml documents of a record; undefined: none */
export function manifestsIn(yaml: string | undefined): Manifest[] {
  return (yaml ?? "").split(DOCUMENTS).flatMap((text) => {
    const quick = compactJson(text.trimEnd());
    const values = quick === undefined ? parseAllDocuments(text).map((document) => document.toJS() as unknown) : [quick];
    return values.flatMap((value) => (value === null ? [] : [objectSchema.parse(value)]));
  });
}
