/** Files with objects of Kubernetes, as they lie in Git. Pure. */
import { portableDocuments } from "../../common/yaml";

/** No line is folded, and none refers to another. */
const yaml = (...objects: readonly object[]): string => portableDocuments(objects, { aliasDuplicateObjects: false });

const MANIFESTS = "manifests.yaml";

/** @param header comment before each file. @param resources files and folders beside it */
export const kustomization = (header: string, resources: readonly string[]): string =>
  header + yaml({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources });

/** A folder of objects: texts by path. */
export const manifestsFolder = (header: string, folder: string, objects: readonly object[]): [path: string, text: string][] => [
  [`${folder}/kustomization.yaml`, kustomization(header, [MANIFESTS])],
  [`${folder}/${MANIFESTS}`, header + yaml(...objects)],
];
