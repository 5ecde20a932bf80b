/** What a sync consists of, and in which order: by phase, wave, kind and name (gitops-engine/pkg/sync/sync_tasks.go). */
import type { KubeObject } from "../kubernetes";
import { groupVersionOf } from "../kubernetes/objects";
import { NotModelled, PREFIX, type ResourceResult, type SyncPhase } from "./schema";

export interface Task {
  phase: SyncPhase;
  wave: number;
  hook: boolean;
  /** The desired object; undefined: it is deleted. */
  target: KubeObject | undefined;
  live: KubeObject | undefined;
  result: ResourceResult;
}

const KINDS = [
  ...["Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList"],
  ...["ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList"],
  ...["ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod"],
  ...["ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService"],
];
const PHASES: readonly SyncPhase[] = ["PreSync", "Sync", "PostSync"];
/** Kinds that are not in the list come last. */
const kindOrder = (kind: string): number => (KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length);

export const objectOf = ({ target, live }: Pick<Task, "target" | "live">): KubeObject => {
  const object = target ?? live;
  if (object === undefined) throw new Error("a task without an object");
  return object;
};

export function compareTasks(a: Task, b: Task): number {
  const [one, other] = [objectOf(a), objectOf(b)];
  return (
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    a.wave - b.wave ||
    kindOrder(one.kind) - kindOrder(other.kind) ||
    (one.metadata.name < other.metadata.name ? -1 : one.metadata.name > other.metadata.name ? 1 : 0)
  );
}

const annotation = ({ metadata }: KubeObject, name: string): string | undefined => metadata.annotations?.[`${PREFIX}/${name}`];

export const waveOf = (object: KubeObject): number => Number(annotation(object, "sync-wave") ?? 0) || 0;

/** Annotations of Argo CD that the lab knows. */
const KNOWN = new Set(["sync-wave", "hook", "hook-delete-policy", "tracking-id", "refresh"]);
const POLICIES = ["BeforeHookCreation", "HookSucceeded", "HookFailed"] as const;
export type DeletePolicy = (typeof POLICIES)[number];

/** @throws NotModelled for an annotation to Argo CD that the lab does not know */
export function checkAnnotations({ kind, metadata }: KubeObject): void {
  const strange = Object.keys(metadata.annotations ?? {}).find((name) => name.startsWith(`${PREFIX}/`) && !KNOWN.has(name.slice(PREFIX.length + 1)));
  if (strange !== undefined) throw new NotModelled(`not modelled by the lab: the annotation ${strange} of ${kind} ${metadata.name}`);
}

/** The phase of a hook; undefined for an object that is no hook. @throws NotModelled */
export function hookOf(object: KubeObject): SyncPhase | undefined {
  const hook = annotation(object, "hook");
  if (hook === undefined) return undefined;
  if (hook !== "PreSync" && hook !== "PostSync") throw new NotModelled(`not modelled by the lab: ${object.kind} ${object.metadata.name} is a hook ${hook}`);
  if (object.kind !== "Job") throw new NotModelled(`not modelled by the lab: ${object.kind} ${object.metadata.name} as a hook, which is no Job`);
  return hook;
}

/** When a hook is removed; Argo CD's default is before it is made again. @throws NotModelled */
export function deletePoliciesOf(hook: KubeObject): readonly DeletePolicy[] {
  const given = (annotation(hook, "hook-delete-policy") ?? "BeforeHookCreation").split(",").map((text) => text.trim());
  const strange = given.find((policy) => !(POLICIES as readonly string[]).includes(policy));
  if (strange !== undefined) throw new NotModelled(`not modelled by the lab: the hook-delete-policy ${strange} of ${hook.metadata.name}`);
  return given as DeletePolicy[];
}

/** The result of a task that has not begun. */
export function emptyResult(object: KubeObject, phase: SyncPhase, hook: boolean): ResourceResult {
  const { apiVersion, kind, metadata } = object;
  return {
    ...groupVersionOf(apiVersion),
    kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    syncPhase: phase,
    ...(hook ? { hookType: phase } : {}),
  };
}

export const resultKey = ({ group, kind, namespace, name, syncPhase }: ResourceResult): string => `${group}/${kind}/${namespace}/${name}:${syncPhase}`;

/** Orders the deletions: in the reverse order of their waves, and with PruneLast after everything that is applied. */
export function orderPruned(tasks: readonly Task[], last: boolean): void {
  const pruned = tasks.filter(({ target }) => target === undefined);
  const waves = [...new Set(pruned.map(({ wave }) => wave))].toSorted((a, b) => a - b);
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index] ?? wave]));
  for (const task of pruned) task.wave = mirrored.get(task.wave) ?? task.wave;
  if (!last) return;
  const end = Math.max(0, ...tasks.filter(({ phase }) => phase === "Sync").map(({ wave }) => wave)) + 1;
  for (const task of pruned) task.wave = end;
}
