/** Files with objects of Kubernetes, for Git. Pure. */
import { plainDocuments } from "../../common/plain-yaml";

const yaml = (...objects: readonly object[]): string => plainDocuments(objects);

const MANIFESTS = "manifests.yaml";

/** @param header comment before each file. @param resources files and folders beside it */
export const kustomization = (header: string, resources: readonly string[]): string =>
  header + yaml({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources });

/** A folder of objects: texts by path. */
export const manifestsFolder = (header: string, folder: string, objects: readonly object[]): [path: string, text: string][] => [
  [`${folder}/kustomization.yaml`, kustomization(header, [MANIFESTS])],
  [`${folder}/${MANIFESTS}`, header + yaml(...objects)],
];
