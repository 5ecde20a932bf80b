/**
 * What an application is in its cluster, as manifests. Pure: the component registers them, and whoever wants to see or keep them writes
 * them as they are. Loads no Pulumi SDK.
 */

import { ingressOf } from "../base/ingress-manifest";
import { virtualServiceOf } from "../base/istio-routes";
import type { Routes } from "../platform/place";
import { DEFAULT_RESOURCES } from "./app-defaults";

/** A port of the container that is served. */
export interface AppPort {
  readonly name: string;
  readonly port: number;
  /** Full host name that leads to it. Left out: it is reached inside the cluster only. */
  readonly host?: string;
}

/** @template V a value that may be known only while the stack is built; a text for who renders */
export interface AppSpec<V = string> {
  /** Also the name of its objects. */
  readonly name: string;
  /** With registry and tag or digest. */
  readonly image: V;
  /** The first one is that of the health check. */
  readonly ports: readonly [AppPort, ...AppPort[]];
  /** Path that answers 200 when the application can serve. Default `/`. */
  readonly healthPath?: string;
  /**
   * Path that answers 200 as long as the application works at all, whatever becomes of what it depends on: where it does not, the
   * application is started again. Default: an open port is enough.
   */
  readonly livePath?: string;
  /** Port of the health check, where it is none of `ports`. */
  readonly healthPort?: number;
  /** Default 1. */
  readonly replicas?: number;
  readonly environment?: Readonly<Record<string, V>>;
  /** Default 100m and 128Mi, with a limit of 256Mi. */
  readonly resources?: { readonly cpu: string; readonly memory: string; readonly memoryLimit: string };
  /** Folders that the application may write to; empty at each start. */
  readonly writable?: readonly string[];
  /** User id that the image is made for. Default: the image's own. */
  readonly runAsUser?: number;
}

/** Where it runs. */
export interface AppPlace<V = string> {
  readonly namespace: V;
  readonly routes: Routes;
  /** ClusterIssuer for certificates of its host names. */
  readonly issuer: V;
}

function containerOf<V>(app: AppSpec<V>) {
  const { name, image, ports, healthPath = "/", livePath, healthPort = ports[0].port, resources = DEFAULT_RESOURCES, writable = [], runAsUser } = app;
  const alive = livePath === undefined ? { tcpSocket: { port: healthPort } } : { httpGet: { path: livePath, port: healthPort } };
  return {
    name,
    image,
    ports: ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
    env: Object.entries(app.environment ?? {}).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { httpGet: { path: healthPath, port: healthPort }, initialDelaySeconds: 5, periodSeconds: 10 },
    livenessProbe: { ...alive, initialDelaySeconds: 15, periodSeconds: 20 },
    resources: { requests: { cpu: resources.cpu, memory: resources.memory }, limits: { memory: resources.memoryLimit } },
    // An image that has its own user may have to begin as root, and to write where only root may.
    securityContext: {
      allowPrivilegeEscalation: false,
      ...(runAsUser === undefined ? {} : { capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true }),
    },
    volumeMounts: writable.map((path, index) => ({ name: `writable-${index}`, mountPath: path })),
  };
}

const labelsOf = (name: string) => ({ "app.kubernetes.io/name": name });

/** Replicas on as many machines as there are; all on one where there is no other. */
const spreadOf = (labels: Readonly<Record<string, string>>) => [
  { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: labels } },
];

export function deploymentOf<V>(app: AppSpec<V>, { namespace }: Pick<AppPlace<V>, "namespace">) {
  const { name, replicas = 1, writable = [], runAsUser } = app;
  const labels = labelsOf(name);
  return {
    apiVersion: "apps/v1" as const,
    kind: "Deployment" as const,
    metadata: { name, namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          securityContext: {
            seccompProfile: { type: "RuntimeDefault" },
            ...(runAsUser === undefined ? {} : { runAsNonRoot: true, runAsUser, fsGroup: runAsUser }),
          },
          ...(replicas > 1 ? { topologySpreadConstraints: spreadOf(labels) } : {}),
          containers: [containerOf(app)],
          volumes: writable.map((_, index) => ({ name: `writable-${index}`, emptyDir: {} })),
        },
      },
    },
  };
}

/** Of one replica it would only keep a node from being drained: undefined. */
export const disruptionBudgetOf = <V>({ name, replicas = 1 }: AppSpec<V>, { namespace }: Pick<AppPlace<V>, "namespace">) =>
  replicas < 2
    ? undefined
    : {
        apiVersion: "policy/v1" as const,
        kind: "PodDisruptionBudget" as const,
        metadata: { name, namespace, labels: labelsOf(name) },
        spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(name) } },
      };

export const serviceOf = <V>({ name, ports }: AppSpec<V>, { namespace }: Pick<AppPlace<V>, "namespace">) => ({
  apiVersion: "v1" as const,
  kind: "Service" as const,
  metadata: { name, namespace, labels: { "app.kubernetes.io/name": name } },
  spec: {
    selector: { "app.kubernetes.io/name": name },
    ports: ports.map((port) => ({ name: port.name, port: port.port, targetPort: port.name })),
  },
});

/** Ports that a host name leads to, with the name of each one's route. */
export const routesOf = <V>({ name, ports }: AppSpec<V>): { port: AppPort; host: string; route: string }[] =>
  ports.flatMap((port) => (port.host === undefined ? [] : [{ port, host: port.host, route: `${name}-${port.name}` }]));

/**
 * Its Deployment, its Service, a route for each port with a host name, and what keeps replicas through a drain. Its namespace is made
 * before, by what the plan says of it.
 */
export const appManifests = <V>(app: AppSpec<V>, { namespace, routes, issuer }: AppPlace<V>) => [
  deploymentOf(app, { namespace }),
  ...[disruptionBudgetOf(app, { namespace })].filter((budget) => budget !== undefined),
  serviceOf(app, { namespace }),
  ...routesOf(app).map(({ port: { port }, host, route: name }) =>
    routes.kind === "ingress"
      ? ingressOf({ name, host, namespace, service: app.name, port, className: routes.className, issuer })
      : virtualServiceOf({ name, namespace, hosts: [host], gateways: [routes.gateway], routes: { service: app.name, port } }),
  ),
];
