/**
 * The manifests of an application's objects. Pure: the component registers them, and `homelab render` writes them to files. Loads no
 * Pulumi SDK.
 */
import { ingressOf } from "../base/ingress-manifest";
import { virtualServiceOf } from "../base/istio-routes";
import { spreadOf } from "../base/spread";
import {
  type AppPlace,
  type AppPort,
  type AppSpec,
  fileKey,
  type Hook,
  isSecretValue,
  type Manifest,
  type Stage,
  type StagedManifest,
  servicePortOf,
} from "./app-spec";
import { withDigests } from "./config-digest";
import { configNameOf, containerOf, filesNameOf, podOf, runtimeOf, volumesOf } from "./container";

const labelsOf = (name: string) => ({ "app.kubernetes.io/name": name });

/** How many replicas it has at least. */
const leastReplicas = ({ replicas = 1, autoscaling }: Pick<AppSpec, "replicas" | "autoscaling">): number => autoscaling?.min ?? replicas;
/** How many replicas it may have. */
const mostReplicas = ({ replicas = 1, autoscaling }: Pick<AppSpec, "replicas" | "autoscaling">): number => autoscaling?.max ?? replicas;

type Place = Pick<AppPlace, "namespace">;

function deploymentOf(app: AppSpec, { namespace }: Place) {
  const { name, replicas = 1, autoscaling, rollout } = app;
  const labels = labelsOf(name);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      // With autoscaling, the autoscaler sets the number. A number here would reset it at each deployment.
      ...(autoscaling === undefined ? { replicas } : {}),
      selector: { matchLabels: labels },
      ...(rollout === undefined ? {} : { strategy: { type: "RollingUpdate", rollingUpdate: { ...rollout } } }),
      template: {
        metadata: { labels },
        spec: {
          ...podOf(app),
          ...(mostReplicas(app) > 1 ? { topologySpreadConstraints: spreadOf(labels) } : {}),
          containers: [containerOf(app)],
          volumes: volumesOf(app),
        },
      },
    },
  };
}

/** None for an application that may have a single replica: with `maxUnavailable: 1` it would protect nothing. */
const disruptionBudgetOf = (app: AppSpec, { namespace }: Place) =>
  leastReplicas(app) < 2
    ? []
    : [
        {
          apiVersion: "policy/v1",
          kind: "PodDisruptionBudget",
          metadata: { name: app.name, namespace, labels: labelsOf(app.name) },
          spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(app.name) } },
        },
      ];

const autoscalerOf = ({ name, autoscaling }: AppSpec, { namespace }: Place) =>
  autoscaling === undefined
    ? []
    : [
        {
          apiVersion: "autoscaling/v2",
          kind: "HorizontalPodAutoscaler",
          metadata: { name, namespace, labels: labelsOf(name) },
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
            minReplicas: autoscaling.min,
            maxReplicas: autoscaling.max,
            metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: autoscaling.cpu } } }],
          },
        },
      ];

const serviceOf = ({ name, ports }: AppSpec, { namespace }: Place) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels: labelsOf(name) },
  spec: {
    selector: labelsOf(name),
    ports: ports.map((port) => ({ name: port.name, port: servicePortOf(port), targetPort: port.name })),
  },
});

const serviceAccountOf = ({ name, serviceAccount }: AppSpec, { namespace }: Place) =>
  serviceAccount === undefined
    ? []
    : [
        {
          apiVersion: "v1",
          kind: "ServiceAccount",
          metadata: {
            name,
            namespace,
            labels: labelsOf(name),
            ...(serviceAccount.annotations === undefined ? {} : { annotations: { ...serviceAccount.annotations } }),
          },
          automountServiceAccountToken: serviceAccount.token === true,
        },
      ];

function configMapsOf(app: AppSpec, { namespace }: Place) {
  const texts = Object.entries(app.files ?? {}).flatMap(([path, value]) => (isSecretValue(value) ? [] : [[fileKey(path), value] as const]));
  const configMap = (name: string, data: Readonly<Record<string, string>>) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, labels: labelsOf(app.name) },
    data: { ...data },
  });
  return [
    ...(app.config === undefined ? [] : [configMap(configNameOf(app), app.config)]),
    ...(texts.length === 0 ? [] : [configMap(filesNameOf(app), Object.fromEntries(texts))]),
  ];
}

/** In `env` Kubernetes replaces `$(NAME)` by another variable, in a ConfigMap it does not. */
const literally = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.split("$(").join("$$(")]));

/** Name of a hook's Job. */
const hookNameOf = (app: string, hook: string): string => `${app}-${hook}`;

const secretFiles = ({ files = {} }: AppSpec) => Object.fromEntries(Object.entries(files).filter(([, value]) => isSecretValue(value)));

function jobOf(app: AppSpec, name: string, { command, image = app.image, timeoutSeconds = 300, retries = 2 }: Hook, { namespace }: Place) {
  // A hook may run before the application's ConfigMaps and ServiceAccount exist (Argo CD: PreSync). So the Job holds the values itself.
  const { serviceAccount: _, config = {}, ...own } = app;
  const alone = { ...own, environment: { ...literally(config), ...app.environment }, files: secretFiles(app) };
  const { env, ...rest } = runtimeOf(alone);
  const labels = { ...labelsOf(hookNameOf(app.name, name)), "app.kubernetes.io/part-of": app.name };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: hookNameOf(app.name, name), namespace, labels },
    spec: {
      backoffLimit: retries,
      activeDeadlineSeconds: timeoutSeconds,
      template: {
        metadata: { labels },
        spec: {
          ...podOf(alone),
          restartPolicy: "Never",
          containers: [{ name, image, command: [...command], env, ...rest }],
          volumes: volumesOf(alone),
        },
      },
    },
  };
}

/** Ports that a host name leads to, with the name of each one's route. */
export const routesOf = ({ name, ports }: Pick<AppSpec, "name" | "ports">): { port: AppPort; host: string; route: string }[] =>
  ports.flatMap((port) => (port.host === undefined ? [] : [{ port, host: port.host, route: `${name}-${port.name}` }]));

function routeOf(app: AppSpec, { namespace, routes, issuer }: AppPlace, { port, host, route: name }: ReturnType<typeof routesOf>[number]) {
  const service = { service: app.name, port: servicePortOf(port) };
  if (routes.kind === "ingress") return ingressOf({ name, host, namespace, ...service, className: routes.className, issuer });
  const { timeout, retries } = port.rules ?? {};
  const rules = {
    ...(timeout === undefined ? {} : { timeout }),
    ...(retries === undefined ? {} : { retries: { attempts: retries } }),
  };
  const isPlain = port.rules === undefined;
  return virtualServiceOf({ name, namespace, hosts: [host], gateways: [routes.gateway], routes: isPlain ? service : [{ to: [service], ...rules }] });
}

const PARTS: Readonly<Record<string, string>> = {
  Deployment: "deployment",
  PodDisruptionBudget: "disruption-budget",
  HorizontalPodAutoscaler: "autoscaler",
  Service: "service",
  ServiceAccount: "account",
};
/** Names of its parts, which no hook may have: those above, its ConfigMaps, its namespace and its Secret. */
export const PART_NAMES: readonly string[] = [...Object.values(PARTS), "config", "files", "ns", "secrets"];

/**
 * The objects in the order in which they are made, without patches and digests. The namespace and the Secret are not among them: they
 * exist before.
 */
function plainManifests(app: AppSpec, place: AppPlace): StagedManifest[] {
  const staged = (stage: Stage, manifests: readonly object[], part?: string): StagedManifest[] =>
    (manifests as Manifest[]).map((manifest) => ({ stage, manifest, part: part ?? PARTS[manifest.kind] ?? manifest.metadata.name.slice(app.name.length + 1) }));
  const hooks = (when: Hook["when"]) =>
    Object.entries(app.hooks ?? {}).flatMap(([name, hook]) => (hook.when === when ? staged(when, [jobOf(app, name, hook, place)], name) : []));
  return [
    ...staged("config", [...serviceAccountOf(app, place), ...configMapsOf(app, place)]),
    ...hooks("before"),
    ...staged("workload", [deploymentOf(app, place)]),
    ...staged("workload", [...disruptionBudgetOf(app, place), serviceOf(app, place)]),
    ...staged("route", autoscalerOf(app, place)),
    ...staged(
      "route",
      routesOf(app).map((route) => routeOf(app, place, route)),
    ),
    ...hooks("after"),
  ];
}

const copyOf = <T>(value: T): T => withValues(value, new Map()) as T;

/** {@link plainManifests} with the application's patches, and each ConfigMap under a name with the digest of what it holds. @throws HomelabError E_APP_PATCH */
export function appManifests(app: AppSpec, place: AppPlace): StagedManifest[] {
  // Objects share parts, such as labels. After the copy a patch changes one object only.
  const plain = copyOf(plainManifests(app, place));
  const { patches = [] } = app;
  if (patches.length > 0) {
    (require("./patches") as typeof import("./patches")).applyPatches(
      app.name,
      plain.map(({ manifest }) => manifest),
      patches,
    );
  }
  return withDigests(plain);
}

/**
 * The manifest with each placeholder replaced by its value, which is known only while a stack is built.
 * @param values by placeholder: a text in angle brackets
 */
export function withValues<V>(manifest: unknown, values: ReadonlyMap<string, V>): unknown {
  if (typeof manifest === "string") return values.get(manifest) ?? manifest;
  if (Array.isArray(manifest)) return manifest.map((item) => withValues(item, values));
  if (typeof manifest !== "object" || manifest === null) return manifest;
  return Object.fromEntries(Object.entries(manifest).map(([key, value]) => [key, withValues(value, values)]));
}
