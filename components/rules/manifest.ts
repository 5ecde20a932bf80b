/** The parts of Kubernetes objects that the rules read. The objects are inputs of the program, or come from a rendered chart. */

type Values = Readonly<Record<string, unknown>>;

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Values; readonly limits?: Values };
  readonly securityContext?: Values;
  readonly readinessProbe?: Values;
  readonly livenessProbe?: Values;
  readonly restartPolicy?: string;
}

export interface Pod {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly securityContext?: Values;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly volumes?: readonly Values[];
  readonly topologySpreadConstraints?: readonly unknown[];
  readonly affinity?: Values;
}

export interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: Values;
  readonly [key: string]: unknown;
}

/** An object that makes pods. */
export interface Workload {
  readonly name: string;
  /** Whether its pods run until they are deleted. Pods of Jobs end by themselves, and need no probes. */
  readonly stays: boolean;
  /** How many pods can replace one another; 1 for a DaemonSet, which has one on each node. */
  readonly replicas: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: Pod;
}

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((node, key) => (typeof node === "object" && node !== null ? (node as Values)[key] : undefined), value);

/** Where each kind keeps the template of its pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["template"],
  StatefulSet: ["template"],
  DaemonSet: ["template"],
  ReplicaSet: ["template"],
  Job: ["template"],
  CronJob: ["jobTemplate", "spec", "template"],
};
const ENDING = ["Job", "CronJob"];

/** The pods of an object; undefined for one that makes none. */
export function workloadOf({ kind = "", metadata, spec }: Manifest): Workload | undefined {
  const path = TEMPLATES[kind];
  if (path === undefined) return undefined;
  const template = at(spec, ...path);
  const pod = at(template, "spec") as Pod | undefined;
  if (pod === undefined || !Array.isArray(pod.containers)) return undefined;
  const replicas = at(spec, "replicas");
  return {
    name: metadata?.name ?? "",
    stays: !ENDING.includes(kind),
    replicas: typeof replicas === "number" && !ENDING.includes(kind) ? replicas : 1,
    labels: (at(template, "metadata", "labels") ?? {}) as Readonly<Record<string, string>>,
    pod,
  };
}

/** Kinds from which an operator makes pods. */
const OPERATED = ["Prometheus", "Alertmanager", "Cluster"];

/** Resources of the pods that an operator makes from the object; undefined for other kinds. */
export function operatedResources({ kind = "", apiVersion = "", spec }: Manifest): { readonly resources: Container["resources"] } | undefined {
  const operated = OPERATED.includes(kind) && (kind !== "Cluster" || apiVersion.startsWith("postgresql.cnpg.io/"));
  return operated ? { resources: at(spec, "resources") as Container["resources"] } : undefined;
}
