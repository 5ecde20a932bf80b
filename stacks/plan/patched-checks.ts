/**
 * What holds for the description of an application holds for its objects after patches too: a patch is no way around it. Pure; loads no
 * Pulumi SDK.
 */
import { exactImage } from "../../common/exact-image";
import type { AppSpec, Manifest } from "../../components/apps/app-spec";
import { secretIn } from "./plain-secrets";
import type { PlannedApp } from "./planned-app";

/** What is wrong, and what to do. */
type Problem = readonly [what: string, hint: string];

interface Container {
  readonly name?: unknown;
  readonly image?: unknown;
  readonly env?: readonly { readonly name?: unknown; readonly value?: unknown; readonly valueFrom?: unknown }[];
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
}

/** The parts of an object that are read here. A patch may have changed any of them. */
interface Spec {
  readonly template?: {
    readonly metadata?: { readonly labels?: object };
    readonly spec?: Partial<Record<"containers" | "initContainers", readonly Container[]>>;
  };
  readonly selector?: object;
  readonly minReplicas?: unknown;
  readonly maxReplicas?: unknown;
  readonly maxUnavailable?: unknown;
  readonly minAvailable?: unknown;
  readonly hosts?: readonly unknown[];
  readonly rules?: readonly { readonly host?: unknown }[];
}

const specOf = (manifest: Manifest): Spec => (manifest["spec"] ?? {}) as Spec;
const titleOf = ({ kind, metadata: { name } }: Manifest): string => `${kind} ${name}`;

/** The placeholders of other stacks' values. */
type Placeholders = Pick<ReadonlyMap<string, unknown>, "has">;

const isExact = (image: unknown, placeholders: Placeholders): boolean =>
  typeof image === "string" && (placeholders.has(image) || exactImage.safeParse(image).success);

function openSecret(at: string, name: string, value: unknown, placeholders?: Placeholders): Problem[] {
  const found = placeholders?.has(String(value)) === true ? undefined : secretIn(name, value);
  return found === undefined ? [] : [[`${at} has ${found} in plain text: ${name}`, "put it into secrets/, and write { secret: { path, key } }"]];
}

function variableProblems(at: string, { env = [] }: Container, placeholders: Placeholders): Problem[] {
  const names = env.map(({ name }) => String(name));
  return env.flatMap(({ value, valueFrom }, index): Problem[] => {
    const name = names[index] ?? "";
    return [
      ...(names.indexOf(name) < index ? [[`${at} has the variable ${name} twice`, "replace the one that is there"] as const] : []),
      ...(value !== undefined && typeof value !== "string" ? [[`the variable ${name} of ${at} is no text`, "put its value into quotes"] as const] : []),
      ...(value !== undefined && valueFrom !== undefined
        ? [[`the variable ${name} of ${at} has a value and one of a Secret`, "remove one of them"] as const]
        : []),
      ...openSecret(at, name, value, placeholders),
    ];
  });
}

function podProblems(manifest: Manifest, placeholders: Placeholders): Problem[] {
  const { containers = [], initContainers = [] } = specOf(manifest).template?.spec ?? {};
  return [...initContainers, ...containers].flatMap((container): Problem[] => {
    const at = `the container ${container.name} of its ${titleOf(manifest)}`;
    const lacking = (["readinessProbe", "livenessProbe"] as const).filter((probe) => container[probe] === undefined);
    const serves = manifest.kind === "Deployment" && containers.includes(container);
    return [
      ...(isExact(container.image, placeholders)
        ? []
        : [[`${at} has the image ${container.image}`, "name it with its registry and a tag or digest, and not latest"] as const]),
      ...(serves ? lacking.map((probe): Problem => [`${at} has no ${probe}`, "leave it there, or add one"]) : []),
      ...variableProblems(at, container, placeholders),
    ];
  });
}

const configMapProblems = (manifest: Manifest): Problem[] =>
  Object.entries((manifest["data"] ?? {}) as object).flatMap(([key, value]): Problem[] =>
    typeof value === "string" ? openSecret(`its ${titleOf(manifest)}`, key, value) : [[`${key} of its ${titleOf(manifest)} is no text`, "put it into quotes"]],
  );

function autoscalerProblems(manifest: Manifest): Problem[] {
  const { minReplicas, maxReplicas } = specOf(manifest);
  return Number(minReplicas) >= 1 && Number(minReplicas) <= Number(maxReplicas)
    ? []
    : [[`its ${titleOf(manifest)} is ${minReplicas} to ${maxReplicas} replicas`, "min is at least 1 and at most max"]];
}

/** A budget that allows no pod to go stops the draining of a node for good. */
function budgetProblems(manifest: Manifest, { replicas = 1, autoscaling }: AppSpec): Problem[] {
  const { maxUnavailable, minAvailable } = specOf(manifest);
  const least = autoscaling?.min ?? replicas;
  const keepsAll = minAvailable === "100%" || (typeof minAvailable === "number" && minAvailable >= least);
  return keepsAll || /^0+%?$/.test(String(maxUnavailable))
    ? [[`its ${titleOf(manifest)} lets no replica go, so no node that runs one could be drained`, "let at least one be unavailable"]]
    : [];
}

function serviceProblems(manifest: Manifest, manifests: readonly Manifest[]): Problem[] {
  const labels = manifests.filter(({ kind }) => kind === "Deployment").map((one) => new Map(Object.entries(specOf(one).template?.metadata?.labels ?? {})));
  const wanted = Object.entries(specOf(manifest).selector ?? {});
  return labels.some((own) => wanted.length > 0 && wanted.every(([key, value]) => own.get(key) === value))
    ? []
    : [[`its ${titleOf(manifest)} selects no pod of it`, "leave the selector and the pods' labels as they are"]];
}

function hostProblems(manifest: Manifest, { ports }: AppSpec): Problem[] {
  const { hosts = [], rules = [] } = specOf(manifest);
  const own = new Set<unknown>(ports.map(({ host }) => host));
  return [...hosts, ...rules.map(({ host }) => host)]
    .filter((host) => !own.has(host))
    .map((host): Problem => [`its ${titleOf(manifest)} has the host ${host}, which no port of it has`, "name hosts at the ports"]);
}

/** @param manifests with the patches */
export function patchedProblems({ spec, references }: Pick<PlannedApp, "spec" | "references">, manifests: readonly Manifest[]): Problem[] {
  if ((spec.patches ?? []).length === 0) return [];
  const byKind: Readonly<Record<string, (manifest: Manifest) => Problem[]>> = {
    Deployment: (manifest) => podProblems(manifest, references),
    Job: (manifest) => podProblems(manifest, references),
    ConfigMap: configMapProblems,
    HorizontalPodAutoscaler: autoscalerProblems,
    PodDisruptionBudget: (manifest) => budgetProblems(manifest, spec),
    Service: (manifest) => serviceProblems(manifest, manifests),
    Ingress: (manifest) => hostProblems(manifest, spec),
    VirtualService: (manifest) => hostProblems(manifest, spec),
  };
  return manifests.flatMap((manifest) => byKind[manifest.kind]?.(manifest) ?? []);
}
