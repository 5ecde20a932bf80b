/** The objects of a folder in Git, as Argo CD renders them: by Kustomize where it has a kustomization, its YAML and JSON files otherwise. */
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { kubernetesDocuments } from "../../common/yaml";
import type { KubeObject } from "../kubernetes";
import { NotModelled, parseStrictly } from "./schema";

const KUSTOMIZATIONS = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Of Kustomize the lab models `resources` alone: files and folders, and no field that changes their content. */
const kustomizationSchema = z.strictObject({
  apiVersion: z.literal("kustomize.config.k8s.io/v1beta1").optional(),
  kind: z.literal("Kustomization").optional(),
  resources: z.array(z.string()).default([]),
});

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string().optional(), generateName: z.string().optional(), namespace: z.string().optional() }),
});

/** What is in the folder cannot be rendered; the message is the Application's condition. */
export class ManifestError extends Error {}

function objectsIn(name: string, text: string): KubeObject[] {
  return kubernetesDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw new ManifestError(`Failed to unmarshal "${name}": ${document.errors[0].message}`);
    const value: unknown = document.toJSON();
    if (value === null || value === undefined) return [];
    const parsed = objectSchema.safeParse(value);
    if (!parsed.success) throw new ManifestError(`Failed to unmarshal "${name}": Object 'Kind' is missing, or it has no name`);
    if (parsed.data.kind === "List" || parsed.data.metadata.name === undefined)
      throw new NotModelled(`not modelled by the lab: ${name}: ${parsed.data.kind === "List" ? "a List" : "an object without a name"}`);
    return [parsed.data as unknown as KubeObject];
  });
}

function kustomized(files: ReadonlyMap<string, string>, folder: string, seen: ReadonlySet<string>): KubeObject[] {
  const inside = (name: string): string => path.posix.join(folder, name);
  const [file] = KUSTOMIZATIONS.map(inside).filter((name) => files.has(name));
  if (file === undefined)
    throw new ManifestError(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`);
  if (seen.has(folder)) throw new ManifestError(`cycle detected: ${folder}`);
  const document = parseAllDocuments(files.get(file) ?? "")[0];
  const { resources } = parseStrictly(kustomizationSchema, document?.toJSON() ?? {}, file);
  return resources.flatMap((resource) => {
    const at = inside(resource);
    const text = files.get(at);
    if (text !== undefined) return objectsIn(at, text);
    if (at.startsWith("..") || ![...files.keys()].some((name) => name.startsWith(`${at}/`)))
      throw new ManifestError(`accumulating resources: accumulation err='accumulating resources from '${resource}': no such file or directory'`);
    return kustomized(files, at, new Set([...seen, folder]));
  });
}

export interface Rendered {
  sourceType: "Kustomize" | "Directory";
  objects: KubeObject[];
}

/** @param files texts by path from the Application's folder. @throws ManifestError, NotModelled */
export function renderFolder(files: ReadonlyMap<string, string>): Rendered {
  if (KUSTOMIZATIONS.some((name) => files.has(name))) return { sourceType: "Kustomize", objects: kustomized(files, ".", new Set()) };
  if (files.has("Chart.yaml")) throw new NotModelled("not modelled by the lab: a Helm chart in Git");
  // Subfolders are read only with `directory.recurse`, which the lab does not model.
  const own = [...files].filter(([name]) => !name.includes("/") && /\.(ya?ml|json)$/.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { sourceType: "Directory", objects: own.flatMap(([name, text]) => objectsIn(name, text)) };
}
