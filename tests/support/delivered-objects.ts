/** What a delivery of applications consists of, and the form in which the objects of two deliveries are compared. */
import type { KubeObject } from "../../lab/kubernetes";
import { plain, type Registered } from "./pulumi-mocks";

const DELIVERED = new Set(["ConfigMap", "Service", "ServiceAccount", "Deployment", "PodDisruptionBudget", "Job", "Ingress", "VirtualService"]);

/** The objects of applications that the program registers and that a delivery contains. */
export function deliveredObjects(registered: readonly Registered[], apps: ReadonlySet<string>): KubeObject[] {
  return registered.flatMap(({ type, inputs }) => {
    const [, group, kind] = /^kubernetes:(.+):(\w+)$/.exec(type) ?? [];
    const object = plain(inputs) as Record<string, unknown> & Pick<KubeObject, "metadata">;
    if (group === undefined || kind === undefined || !apps.has(object.metadata?.namespace ?? "")) return [];
    // The program keeps the rest with either delivery: the namespace's policies, and its access to secrets.
    if (!DELIVERED.has(kind) || (kind === "ServiceAccount" && !apps.has(object.metadata.name))) return [];
    return [{ ...object, apiVersion: group.replace(/^core\//, ""), kind } as KubeObject];
  });
}

/** The content of an object, without status, assigned addresses and ids, and the annotations of its writers. */
export function content({ apiVersion, kind, metadata: { name, namespace, labels, annotations = {} }, ...rest }: KubeObject): unknown {
  const own = Object.entries(annotations).filter(([key]) => !/^(argocd\.argoproj\.io|pulumi\.com|deployment\.kubernetes\.io)\//.test(key));
  const { status: _, ...fields } = rest;
  const text = JSON.stringify({ apiVersion, kind, name, namespace, labels, annotations: Object.fromEntries(own), ...fields });
  // A real API server drops empty lists of a pod; the lab keeps them.
  const isNone = (key: string, value: unknown): boolean => ["env", "volumes", "volumeMounts"].includes(key) && Array.isArray(value) && value.length === 0;
  return JSON.parse(text, (key, value: unknown) => {
    // The id of a Job is in its selector and in the labels of its pods.
    if (key === "clusterIP" || key === "clusterIPs" || /^(batch\.kubernetes\.io\/)?controller-uid$/.test(key)) return "<given>";
    return isNone(key, value) ? undefined : value;
  }) as unknown;
}

export const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;
