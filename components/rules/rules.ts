/**
 * The rules for every object of every stack, whether the program or a chart made it. The test over all stacks and the policy pack in
 * `policy/` both use them. Pure; loads no Pulumi SDK.
 */
import { findDefaultCredentials } from "../platform/default-credentials";
import { type Container, type Manifest, operatedResources, type Pod, type Workload, workloadOf } from "./manifest";

/** Each rule as a sentence about what must be. */
export const RULES = {
  resources: "each container requests CPU and memory, and has a memory limit",
  readiness: "a container that keeps running has a readiness probe",
  liveness: "a container that keeps running has a liveness probe",
  "liveness-apart": "the liveness probe differs from the readiness probe: otherwise the outage of a dependency would restart the container",
  "non-root": "no container runs as root",
  "no-escalation": "no process gets more rights than the one that started it",
  capabilities: "containers drop all capabilities, and add none but NET_BIND_SERVICE",
  seccomp: "containers use the runtime's seccomp profile",
  "read-only-root": "a container's root file system is read-only",
  "host-access": "pods stay away from the host: its network, its processes, its files, its rights",
  "image-version": "each image has a version or a digest, and none is latest",
  spread: "replicas are spread over machines",
  "disruption-budget": "a drain leaves at least one of the replicas",
  "default-credentials": "no password is a chart's known default",
} as const;
export type RuleName = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** A rule that is broken on purpose. */
export interface RuleException {
  readonly rule: RuleName;
  /** Name of the Deployment, StatefulSet, DaemonSet, Job or CronJob. Left out: all of the module's, or the application's own. */
  readonly workload?: string;
  /** Left out: all of the workload's. */
  readonly container?: string;
  readonly why: string;
}

export interface Violation {
  readonly rule: RuleName;
  readonly workload: string;
  /** Empty where the pod breaks the rule. */
  readonly container: string;
  /** What is wrong. */
  readonly found: string;
}

/** What is wrong with one container; undefined where nothing is. */
type OfContainer = (container: Container, pod: Pod) => string | undefined;
type OfPod = (workload: Workload) => string | undefined;

const missing = (names: readonly (readonly [string, unknown])[]): string | undefined => {
  const absent = names.filter(([, value]) => value === undefined || value === null || value === "").map(([name]) => name);
  return absent.length === 0 ? undefined : `has no ${absent.join(", no ")}`;
};

const resources = ({ resources: own }: Container): string | undefined =>
  missing([
    ["CPU request", own?.requests?.["cpu"]],
    ["memory request", own?.requests?.["memory"]],
    ["memory limit", own?.limits?.["memory"]],
  ]);

/** The setting of the container, or of its pod where the container has none. */
const security = ({ securityContext }: Container, pod: Pod, key: string): unknown => securityContext?.[key] ?? pod.securityContext?.[key];
const textOf = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

const nonRoot: OfContainer = (container, pod) => {
  const user = security(container, pod, "runAsUser");
  if (user === 0) return "runs as the user 0";
  return security(container, pod, "runAsNonRoot") === true ? undefined : "does not set runAsNonRoot";
};

const capabilities: OfContainer = ({ securityContext }) => {
  const { drop = [], add = [] } = (securityContext?.["capabilities"] ?? {}) as { drop?: readonly string[]; add?: readonly string[] };
  const added = add.filter((one) => one !== "NET_BIND_SERVICE");
  if (added.length > 0) return `adds ${added.join(", ")}`;
  return drop.includes("ALL") ? undefined : "does not drop ALL";
};

const seccomp: OfContainer = (container, pod) => {
  const profile = security(container, pod, "seccompProfile") as { type?: string } | undefined;
  return profile?.type === "RuntimeDefault" || profile?.type === "Localhost" ? undefined : `has ${textOf(profile?.type)} as its profile`;
};

/** Handler of a probe, without its timing. */
const handler = (probe: Container["livenessProbe"]): string => JSON.stringify(["httpGet", "exec", "grpc"].map((kind) => probe?.[kind] ?? null));
/** Whether a probe checks more than an open port, which says nothing about dependencies. */
const asksForMore = (probe: Container["livenessProbe"]): boolean => probe !== undefined && probe["tcpSocket"] === undefined;

const livenessApart: OfContainer = ({ livenessProbe, readinessProbe }) =>
  asksForMore(livenessProbe) && handler(livenessProbe) === handler(readinessProbe) ? "has the same liveness and readiness probe" : undefined;

/** `registry/name:tag`, `name@sha256:…`; a port of the registry is no tag. */
const VERSIONED = /(:(?!latest$)[^/:@]+|@sha256:[0-9a-f]{64})$/;

const OF_CONTAINERS: Partial<Record<RuleName, OfContainer>> = {
  resources,
  "non-root": nonRoot,
  "no-escalation": ({ securityContext }) =>
    securityContext?.["allowPrivilegeEscalation"] === false ? undefined : `has ${textOf(securityContext?.["allowPrivilegeEscalation"])} for it`,
  capabilities,
  seccomp,
  "read-only-root": ({ securityContext }) => (securityContext?.["readOnlyRootFilesystem"] === true ? undefined : "may write to it"),
  "image-version": ({ image = "" }) => (VERSIONED.test(image) ? undefined : `has the image ${image === "" ? "of no name" : image}`),
};

/** Rules for containers that keep running. */
const OF_STAYING: Partial<Record<RuleName, OfContainer>> = {
  readiness: ({ readinessProbe }) => (readinessProbe === undefined ? "has no readiness probe" : undefined),
  liveness: ({ livenessProbe }) => (livenessProbe === undefined ? "has no liveness probe" : undefined),
  "liveness-apart": livenessApart,
};

const hostAccess: OfPod = ({ pod }) => {
  const all = [...(pod.initContainers ?? []), ...pod.containers];
  const found = [
    ...(pod.hostNetwork === true ? ["the host's network"] : []),
    ...(pod.hostPID === true || pod.hostIPC === true ? ["the host's processes"] : []),
    ...((pod.volumes ?? []).some((volume) => volume["hostPath"] !== undefined) ? ["files of the host"] : []),
    ...(all.some(({ securityContext }) => securityContext?.["privileged"] === true) ? ["all rights of the host"] : []),
  ];
  return found.length === 0 ? undefined : `takes ${found.join(", ")}`;
};

const spread: OfPod = ({ replicas, pod }) =>
  replicas < 2 || (pod.topologySpreadConstraints ?? []).length > 0 || pod.affinity?.["podAntiAffinity"] !== undefined
    ? undefined
    : `has ${replicas} replicas that may all be on one machine`;

const OF_PODS: Partial<Record<RuleName, OfPod>> = { "host-access": hostAccess, spread };

function ofContainer(checks: Partial<Record<RuleName, OfContainer>>, { name, pod }: Workload, container: Container): Violation[] {
  return Object.entries(checks).flatMap(([rule, check]) => {
    const found = check(container, pod);
    return found === undefined ? [] : [{ rule: rule as RuleName, workload: name, container: container.name ?? "", found }];
  });
}

function ofWorkload(workload: Workload): Violation[] {
  const { pod, stays, name } = workload;
  const sidecars = (pod.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const staying = stays ? [...sidecars, ...pod.containers] : [];
  return [
    ...Object.entries(OF_PODS).flatMap(([rule, check]) => {
      const found = check(workload);
      return found === undefined ? [] : [{ rule: rule as RuleName, workload: name, container: "", found }];
    }),
    ...[...(pod.initContainers ?? []), ...pod.containers].flatMap((container) => ofContainer(OF_CONTAINERS, workload, container)),
    ...staying.flatMap((container) => ofContainer(OF_STAYING, workload, container)),
  ];
}

const knownCredentials = (of: string, values: unknown): Violation[] =>
  findDefaultCredentials(values).map(({ path, of: owner }) => ({
    rule: "default-credentials",
    workload: of,
    container: "",
    found: `${path} is the default of ${owner}`,
  }));

/** Images as charts take them: `tag` beside `repository`, or all in one text. */
function latestOf(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === "string") return (path.at(-1) === "tag" && value === "latest") || /\w[/]\S+:latest$/.test(value) ? [path.join(".")] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => latestOf(inner, [...path, key]));
}

/** What is wrong with a release, by its values. */
export const releaseViolations = (name: string, values: unknown): Violation[] => [
  ...knownCredentials(name, values),
  ...latestOf(values).map((path): Violation => ({ rule: "image-version", workload: name, container: "", found: `has latest at ${path}` })),
];

/** What is wrong with one object by itself. Empty for kinds without rules. */
export function objectViolations(manifest: Manifest): Violation[] {
  if (manifest.kind === "Secret") return knownCredentials(manifest.metadata?.name ?? "", manifest["stringData"]);
  const operated = operatedResources(manifest);
  if (operated !== undefined) {
    const found = resources(operated as Container);
    return found === undefined ? [] : [{ rule: "resources", workload: manifest.metadata?.name ?? "", container: "", found }];
  }
  const workload = workloadOf(manifest);
  return workload === undefined ? [] : ofWorkload(workload);
}

const selects = (budget: Manifest, { labels }: Workload): boolean => {
  const { matchLabels, matchExpressions } = (budget.spec?.["selector"] ?? {}) as { matchLabels?: Record<string, string>; matchExpressions?: unknown[] };
  const wanted = Object.entries(matchLabels ?? {});
  return (matchExpressions ?? []).length === 0 && wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
};

/** What is wrong with objects in relation to each other. @param manifests all of one stack, or of one chart */
export function setViolations(manifests: readonly Manifest[]): Violation[] {
  const budgets = manifests.filter(({ kind }) => kind === "PodDisruptionBudget");
  return manifests.flatMap((manifest) => {
    const workload = workloadOf(manifest);
    if (workload === undefined || !workload.stays || workload.replicas < 2 || manifest.kind === "DaemonSet") return [];
    const namespace = manifest.metadata?.namespace;
    if (budgets.some((budget) => budget.metadata?.namespace === namespace && selects(budget, workload))) return [];
    return [{ rule: "disruption-budget", workload: workload.name, container: "", found: `has ${workload.replicas} replicas, and no PodDisruptionBudget` }];
  });
}

export const covers = ({ rule, workload, container }: RuleException, violation: Violation): boolean =>
  rule === violation.rule && (workload === undefined || workload === violation.workload) && (container === undefined || container === violation.container);

/** `Deployment's name, container: what is found; what must be` for people. */
export const violationText = ({ rule, workload, container, found }: Violation): string =>
  `${workload}${container === "" ? "" : `, container ${container}`}: ${found} (${rule}: ${RULES[rule]})`;
