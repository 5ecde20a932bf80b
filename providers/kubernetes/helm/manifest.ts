/** Objects of a chart, as they are rendered and as records keep them. */
import { z } from "zod";
import { compactJson } from "../../../common/compact-json";
import { kubernetesDocuments, portableYaml } from "../../../common/yaml";
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

/** An object as a record keeps it. CRDs are long, and nobody reads them there: they are written as JSON, which is YAML that is parsed fast. */
export const recorded = (object: Manifest): string => (object.kind === "CustomResourceDefinition" ? `${JSON.stringify(object)}\n` : portableYaml(object));

/** A line of three dashes begins a document, unless it is indented. */
const DOCUMENTS = /^---(?:[ \t]*#.*)?[ \t]*\n/m;

const listSchema = z.looseObject({ kind: z.string().regex(/List$/), items: z.array(z.unknown()) });
/** False for an object with `generateName`: the API chooses its name at the creation. */
const isNamed = (value: unknown): boolean =>
  !z.looseObject({ metadata: z.looseObject({ generateName: z.string(), name: z.undefined().optional() }) }).safeParse(value).success;

function documentsIn(yaml: string | undefined): unknown[] {
  return (yaml ?? "").split(DOCUMENTS).flatMap((text) => {
    const quick = compactJson(text.trimEnd());
    const values = quick === undefined ? kubernetesDocuments(text).map((document) => document.toJS() as unknown) : [quick];
    return values.filter((value) => value !== null);
  });
}

/**
 * The objects of a record, with each item of a list as one, as Helm creates them. Objects whose name the API chooses are left out: the
 * record does not have their names.
 * @param yaml documents of a record; undefined: none
 */
export function manifestsIn(yaml: string | undefined): Manifest[] {
  return documentsIn(yaml)
    .flatMap((value) => listSchema.safeParse(value).data?.items ?? [value])
    .filter(isNamed)
    .map((value) => objectSchema.parse(value));
}

const namesSchema = z.looseObject({
  apiVersion: z.string().default(""),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string().default(""), namespace: z.string().optional() }).default({ name: "" }),
});

/**
 * Names of a record's objects by `Kind.group/version`: `ConfigMap/v1`, `Deployment.apps/apps/v1`; with the namespace in front where the chart names one.
 * In the form of the official provider (convertYAMLManifestToJSON in provider/pkg/provider/manifest_json.go): sorted, a list as the one object that it is.
 */
export function resourceNamesIn(yaml: string | undefined): Record<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const value of documentsIn(yaml)) {
    const { data } = namesSchema.safeParse(value);
    if (data === undefined) continue;
    const { apiVersion, kind, metadata } = data;
    const [group] = apiVersion.includes("/") ? apiVersion.split("/") : [];
    const key = `${kind}${group === undefined ? "" : `.${group}`}/${apiVersion}`;
    found.set(key, (found.get(key) ?? new Set()).add(metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`));
  }
  return Object.fromEntries([...found].map(([key, names]) => [key, [...names].sort()]));
}
