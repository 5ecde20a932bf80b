/** Why a pod's containers cannot start yet: objects that the pod refers to and that do not exist. */
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, mapAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";

export interface Blocker {
  reason: "Unschedulable" | "ContainerCreating" | "CreateContainerConfigError";
  message: string;
}

type Kind = "Secret" | "ConfigMap";

/** The object that a reference names, or what is wrong. An optional one may be missing. */
function missing(kube: Kube, kind: Kind, namespace: string | undefined, reference: JsonMap, key?: string): string | undefined {
  if (reference["optional"] === true) return undefined;
  const name = textAt(reference, "name") ?? textAt(reference, "secretName") ?? "";
  const found = kube.find("v1", kind, namespace, name);
  if (found === undefined) return `${kind.toLowerCase()} "${name}" not found`;
  if (key !== undefined && at(found, "data", key) === undefined) return `couldn't find key ${key} in ${kind} ${namespace}/${name}`;
  return undefined;
}

function volumeProblem(kube: Kube, pod: KubeObject): Blocker | undefined {
  const { namespace } = pod.metadata;
  for (const volume of listAt(pod, "spec", "volumes")) {
    const claim = textAt(volume, "persistentVolumeClaim", "claimName");
    if (claim !== undefined) {
      const found = kube.find("v1", "PersistentVolumeClaim", namespace, claim);
      if (found === undefined) return { reason: "Unschedulable", message: `0/1 nodes are available: persistentvolumeclaim "${claim}" not found.` };
      if (textAt(found, "status", "phase") !== "Bound")
        return { reason: "Unschedulable", message: "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims." };
    }
    const sources: [Kind, JsonMap][] = [
      ...(volume["secret"] === undefined ? [] : [["Secret", mapAt(volume, "secret")] as [Kind, JsonMap]]),
      ...(volume["configMap"] === undefined ? [] : [["ConfigMap", mapAt(volume, "configMap")] as [Kind, JsonMap]]),
      ...listAt(volume, "projected", "sources").flatMap((source): [Kind, JsonMap][] => [
        ...(source["secret"] === undefined ? [] : [["Secret", mapAt(source, "secret")] as [Kind, JsonMap]]),
        ...(source["configMap"] === undefined ? [] : [["ConfigMap", mapAt(source, "configMap")] as [Kind, JsonMap]]),
      ]),
    ];
    for (const [kind, source] of sources) {
      const problem = missing(kube, kind, namespace, source);
      if (problem !== undefined)
        return { reason: "ContainerCreating", message: `MountVolume.SetUp failed for volume "${textAt(volume, "name")}" : ${problem}` };
    }
  }
  return undefined;
}

function environmentProblem(kube: Kube, pod: KubeObject): Blocker | undefined {
  const { namespace } = pod.metadata;
  const problems = [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")].flatMap((container) => [
    ...listAt(container, "envFrom").flatMap((source) => [
      source["secretRef"] === undefined ? undefined : missing(kube, "Secret", namespace, mapAt(source, "secretRef")),
      source["configMapRef"] === undefined ? undefined : missing(kube, "ConfigMap", namespace, mapAt(source, "configMapRef")),
    ]),
    ...listAt(container, "env").flatMap((variable) => {
      const from = mapAt(variable, "valueFrom");
      return [
        from["secretKeyRef"] === undefined ? undefined : missing(kube, "Secret", namespace, mapAt(from, "secretKeyRef"), textAt(from, "secretKeyRef", "key")),
        from["configMapKeyRef"] === undefined
          ? undefined
          : missing(kube, "ConfigMap", namespace, mapAt(from, "configMapKeyRef"), textAt(from, "configMapKeyRef", "key")),
      ];
    }),
  ]);
  const message = problems.find((problem) => problem !== undefined);
  return message === undefined ? undefined : { reason: "CreateContainerConfigError", message };
}

/** The first thing that a kubelet would stop at; undefined = the containers start. */
export function blockerOf(kube: Kube, pod: KubeObject): Blocker | undefined {
  return volumeProblem(kube, pod) ?? environmentProblem(kube, pod);
}

/** A container's environment, as far as it is plain or from Secrets, ConfigMaps and fields of the pod. */
export function environmentOf(kube: Kube, pod: KubeObject, container: JsonMap): Record<string, string> {
  const { namespace } = pod.metadata;
  const value = (kind: Kind, reference: JsonMap): string | undefined => {
    const text = textAt(kube.find("v1", kind, namespace, textAt(reference, "name") ?? ""), "data", textAt(reference, "key") ?? "");
    return text === undefined || kind === "ConfigMap" ? text : Buffer.from(text, "base64").toString("utf8");
  };
  const found: Record<string, string> = {};
  for (const source of listAt(container, "envFrom")) {
    const isSecret = source["secretRef"] !== undefined;
    const reference = mapAt(source, isSecret ? "secretRef" : "configMapRef");
    const data = mapAt(kube.find("v1", isSecret ? "Secret" : "ConfigMap", namespace, textAt(reference, "name") ?? ""), "data");
    const prefix = textAt(source, "prefix") ?? "";
    for (const [key, text] of Object.entries(data)) found[`${prefix}${key}`] = isSecret ? Buffer.from(String(text), "base64").toString("utf8") : String(text);
  }
  for (const variable of listAt(container, "env")) {
    const from = mapAt(variable, "valueFrom");
    const text = from["secretKeyRef"] !== undefined ? value("Secret", mapAt(from, "secretKeyRef")) : value("ConfigMap", mapAt(from, "configMapKeyRef"));
    const plain = textAt(variable, "value") ?? text ?? fieldOf(pod, textAt(from, "fieldRef", "fieldPath") ?? "");
    // $(NAME) is replaced by the value of an earlier variable; an unknown name stays as written.
    if (plain !== undefined)
      found[textAt(variable, "name") ?? ""] = plain.replace(/\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, name: string) => found[name] ?? whole);
  }
  return found;
}

/** A field of the pod as the downward API gives it; undefined for one that the lab does not know. */
export function fieldOf(pod: KubeObject, fieldPath: string): string | undefined {
  const key = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (key !== null) return pod.metadata[key[1] as "labels" | "annotations"]?.[key[2] ?? ""] ?? "";
  if (!FIELDS.has(fieldPath)) return undefined;
  return textAt(pod, ...fieldPath.split("."));
}

const FIELDS = new Set(["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.podIP"]);
