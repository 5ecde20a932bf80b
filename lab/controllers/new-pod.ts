/** Pods as sets make them. */
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, textAt } from "../kubernetes/objects";
import { quotaProblem, withLimitRanges } from "../kubernetes/quota";
import { injected, injectionProblem } from "./istio-injection";
import { type Kube, ownerOf } from "./kube";

/** A volume of a pod that is a claim of its own. */
export interface ClaimVolume {
  volume: string;
  claim: string;
}

/** A reason why the pods of a set cannot be made, or undefined: their account is not there, a webhook does not answer, or a quota is used up. */
export const podProblem = (kube: Kube, set: KubeObject): string | undefined =>
  accountProblem(kube, set) ?? injectionProblem(kube, set) ?? quotaProblemOf(kube, set);

function quotaProblemOf(kube: Kube, set: KubeObject): string | undefined {
  const { name, namespace } = set.metadata;
  const template = mapAt(set, "spec", "template");
  const spec = injected(kube, namespace, mapAt(template, "metadata", "labels") as Record<string, string>, mapAt(template, "spec"));
  const metadata = { name: `${name}-`, ...(namespace === undefined ? {} : { namespace }) };
  return quotaProblem(kube.store, { kind: "Pod", metadata, spec: withLimitRanges(kube.store, namespace, spec) });
}

function accountProblem(kube: Kube, set: KubeObject): string | undefined {
  const name = textAt(set, "spec", "template", "spec", "serviceAccountName") ?? "default";
  const { namespace } = set.metadata;
  if (kube.find("v1", "ServiceAccount", namespace, name) !== undefined) return undefined;
  return `pods "${set.metadata.name}-" is forbidden: error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
}

/** @param name in full, or the start of a generated one when it ends in a dash */
export function createPod(kube: Kube, set: KubeObject, name: string, labels: Readonly<Record<string, string>> = {}, claims: readonly ClaimVolume[] = []): void {
  const template = mapAt(set, "spec", "template");
  const spec = mapAt(template, "spec");
  const annotations = mapAt(template, "metadata", "annotations") as Record<string, string>;
  const others = listAt(spec, "volumes").filter((volume) => !claims.some((claim) => claim.volume === volume["name"]));
  const volumes: JsonMap[] = [...others, ...claims.map(({ volume, claim }) => ({ name: volume, persistentVolumeClaim: { claimName: claim } }))];
  const allLabels = { ...(mapAt(template, "metadata", "labels") as Record<string, string>), ...labels };
  kube.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...(name.endsWith("-") ? { generateName: name } : { name }),
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      labels: allLabels,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [ownerOf(set)],
    } as KubeObject["metadata"],
    spec: {
      ...withLimitRanges(kube.store, set.metadata.namespace, injected(kube, set.metadata.namespace, allLabels, spec)),
      ...(volumes.length > 0 ? { volumes } : {}),
      serviceAccountName: textAt(spec, "serviceAccountName") ?? "default",
      nodeName: kube.cluster.node,
    },
  });
}
