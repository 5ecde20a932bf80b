/** LimitRanges add defaults to pods, ResourceQuotas refuse what exceeds them: two admission plugins of the API server. */
import { at, type JsonMap, type KubeObject, listAt, mapAt, textAt } from "./objects";
import type { ObjectStore } from "./store";

const QUANTITY = /^(\d+(?:\.\d+)?)(m|k|K|M|G|T|Ki|Mi|Gi|Ti)?$/;
const FACTOR: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `250m` as 0.25, `1Gi` as 1073741824. @throws Error for another text */
export function quantity(value: unknown): number {
  const [, number, unit] = QUANTITY.exec(String(value)) ?? [];
  if (number === undefined) throw new Error(`the lab reads no quantity "${String(value)}"`);
  return Number(number) * (unit === undefined ? 1 : (FACTOR[unit] ?? 1));
}

/** The resources of a container with what the namespace gives to one that names nothing. */
function completed(resources: JsonMap, defaults: { readonly requests: JsonMap; readonly limits: JsonMap }): JsonMap {
  const limits = { ...defaults.limits, ...mapAt(resources, "limits") };
  // A missing request is set to the container's own limit; without a limit, to the namespace's default.
  const requests = { ...defaults.requests, ...mapAt(resources, "limits"), ...mapAt(resources, "requests") };
  return { ...resources, ...(Object.keys(requests).length > 0 ? { requests } : {}), ...(Object.keys(limits).length > 0 ? { limits } : {}) };
}

/** The `spec` of a pod as the namespace's LimitRanges make it. */
export function withLimitRanges(store: ObjectStore, namespace: string | undefined, spec: JsonMap): JsonMap {
  const limits = store
    .all("v1", "LimitRange", namespace)
    .flatMap((range) => listAt(range, "spec", "limits"))
    .filter((limit) => limit["type"] === "Container");
  if (limits.length === 0) return spec;
  const defaults = {
    requests: Object.assign({}, ...limits.map((limit) => mapAt(limit, "defaultRequest"))) as JsonMap,
    limits: Object.assign({}, ...limits.map((limit) => mapAt(limit, "default"))) as JsonMap,
  };
  const containers = (key: string): JsonMap => {
    const listed = listAt(spec, key);
    return listed.length === 0 ? {} : { [key]: listed.map((container) => ({ ...container, resources: completed(mapAt(container, "resources"), defaults) })) };
  };
  return { ...spec, ...containers("containers"), ...containers("initContainers") };
}

/** What a pod asks for: its containers together, or its greatest init container (https://kubernetes.io/docs/concepts/workloads/pods/init-containers). */
function podRequest(spec: unknown, resource: string): number {
  const asked = (container: JsonMap): number => quantity(at(container, "resources", "requests", resource) ?? 0);
  const init = listAt(spec, "initContainers");
  const sidecars = init.filter((container) => container["restartPolicy"] === "Always");
  const together = [...listAt(spec, "containers"), ...sidecars].reduce((sum, container) => sum + asked(container), 0);
  return Math.max(together, ...init.map(asked));
}

/** Usage of an object, by the quota's names of resources. */
function charged(kind: string, spec: unknown): Readonly<Record<string, number>> {
  if (kind === "PersistentVolumeClaim") return { persistentvolumeclaims: 1, "requests.storage": quantity(at(spec, "resources", "requests", "storage") ?? 0) };
  if (kind !== "Pod") return {};
  return { pods: 1, "requests.cpu": podRequest(spec, "cpu"), "requests.memory": podRequest(spec, "memory") };
}

const ENDED = new Set(["Succeeded", "Failed"]);

/** By the names of the quota. */
export function quotaUse(store: ObjectStore, quota: KubeObject): Record<string, number> {
  const { namespace } = quota.metadata;
  const objects = [
    ...store.all("v1", "Pod", namespace).filter((pod) => !ENDED.has(textAt(pod, "status", "phase") ?? "")),
    ...store.all("v1", "PersistentVolumeClaim", namespace),
  ].map(({ kind, spec }) => charged(kind, spec));
  return Object.fromEntries(Object.keys(mapAt(quota, "spec", "hard")).map((name) => [name, objects.reduce((sum, one) => sum + (one[name] ?? 0), 0)]));
}

/** An amount as quotas write it. */
export function amount(name: string, value: number): string {
  if (name.endsWith("cpu")) return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  if (!/memory|storage/.test(name) || value === 0) return String(value);
  const [unit = "", factor = 1] =
    Object.entries(FACTOR)
      .toReversed()
      .find(([unit, size]) => unit.endsWith("i") && value % size === 0) ?? [];
  return `${value / factor}${unit}`;
}

/** Why the namespace's quotas refuse the object, in the API server's words; undefined: they do not. */
export function quotaProblem(
  store: ObjectStore,
  { kind, metadata, ...rest }: Pick<KubeObject, "kind" | "metadata"> & { readonly spec?: unknown },
): string | undefined {
  const more = charged(kind, rest.spec);
  if (Object.keys(more).length === 0) return undefined;
  const plural = kind === "Pod" ? "pods" : "persistentvolumeclaims";
  for (const quota of store.all("v1", "ResourceQuota", metadata.namespace)) {
    const hard = mapAt(quota, "spec", "hard");
    const used = quotaUse(store, quota);
    const over = Object.keys(more).filter((name) => name in hard && (used[name] ?? 0) + (more[name] ?? 0) > quantity(hard[name]));
    if (over.length === 0) continue;
    const list = (of: (name: string) => string): string => over.map((name) => `${name}=${of(name)}`).join(",");
    const [requested, before, limited] = [list((n) => amount(n, more[n] ?? 0)), list((n) => amount(n, used[n] ?? 0)), list((n) => String(hard[n]))];
    return `${plural} "${metadata.name}" is forbidden: exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${before}, limited: ${limited}`;
  }
  return undefined;
}
