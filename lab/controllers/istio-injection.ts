/** What istiod's webhook does to pods: a pod in the mesh gets a proxy, and the gateway's pod its image. */
import { parse } from "yaml";
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { selects } from "../kubernetes/selectors";
import type { Kube } from "./kube";

const PROXY = "istio-proxy";
/** The placeholder image of a gateway's pod before the injection. */
export const IMAGE_TO_FILL_IN = "auto";
const CONFIGURATION = "istio-sidecar-injector";

/** The webhook that a pod with these labels is for, if there is one. */
function webhookOf(kube: Kube, namespace: string | undefined, labels: Readonly<Record<string, string>>): string | undefined {
  const configuration = kube.find("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", undefined, CONFIGURATION);
  const home = kube.find("v1", "Namespace", undefined, namespace ?? "");
  const found = listAt(configuration, "webhooks").find(
    (webhook) => selects(mapAt(webhook, "namespaceSelector"), home?.metadata.labels) && selects(mapAt(webhook, "objectSelector"), labels),
  );
  return textAt(found, "name");
}

const imageOf = (deployment: KubeObject): string => textAt(listAt(deployment, "spec", "template", "spec", "containers")[0], "image") ?? "";

/** Whether a Deployment is istiod. */
export const fillsIn = (deployment: KubeObject): boolean => /(^|\/)pilot(:|$)/.test(imageOf(deployment));

const istiodOf = (kube: Kube): KubeObject | undefined =>
  kube.all("apps/v1", "Deployment").find((deployment) => fillsIn(deployment) && (numberAt(deployment, "status", "availableReplicas") ?? 0) > 0);

const labelsOf = (template: JsonMap): Record<string, string> => mapAt(template, "metadata", "labels") as Record<string, string>;

/** Why pods of a template cannot be made now: their webhook does not answer. */
export function injectionProblem(kube: Kube, set: KubeObject): string | undefined {
  const name = webhookOf(kube, set.metadata.namespace, labelsOf(mapAt(set, "spec", "template")));
  if (name === undefined || istiodOf(kube) !== undefined) return undefined;
  return `Internal error occurred: failed calling webhook "${name}": failed to call webhook: no endpoints available for service "istiod"`;
}

/** The pod's `spec` as istiod leaves it. */
export function injected(kube: Kube, namespace: string | undefined, labels: Readonly<Record<string, string>>, spec: JsonMap): JsonMap {
  const istiod = istiodOf(kube);
  if (istiod === undefined || webhookOf(kube, namespace, labels) === undefined) return spec;
  const image = imageOf(istiod).replace(/pilot(?=:|$)/, "proxyv2");
  const containers = listAt(spec, "containers");
  if (containers.some((container) => container["name"] === PROXY))
    return { ...spec, containers: containers.map((container) => (container["image"] === IMAGE_TO_FILL_IN ? { ...container, image } : container)) };
  const values = parse(textAt(kube.find("v1", "ConfigMap", istiod.metadata.namespace, CONFIGURATION), "data", "values") ?? "{}") as JsonMap;
  const proxy: JsonMap = {
    name: PROXY,
    image,
    args: ["proxy", "sidecar"],
    // A container that runs as long as the pod does, and starts before the others.
    restartPolicy: "Always",
    resources: mapAt(values, "proxy", "resources"),
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, runAsNonRoot: true, runAsUser: 1337, readOnlyRootFilesystem: true },
  };
  return { ...spec, initContainers: [...listAt(spec, "initContainers"), proxy] };
}
