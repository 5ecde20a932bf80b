/**
 * An application as data: one stateless container, with what belongs to it. It is made from the matrix (stacks/define/app.ts) for one
 * environment. Loads no Pulumi SDK.
 *
 * Where a value is known only while a stack is built, a placeholder stands for it: a text in angle brackets ({@link withValues}).
 */
import type { Routes } from "../platform/place";

/** A value of secrets/, which reaches the application through Vault and a Kubernetes Secret of its namespace. */
export interface SecretValue {
  readonly secret: { readonly path: string; readonly key: string };
}

export const isSecretValue = (value: unknown): value is SecretValue => typeof value === "object" && value !== null && "secret" in value;

/** What Istio's gateway does with requests to a port's host name. An Ingress supports none of it. */
export interface RouteRules {
  /** Time limit of a request: `30s`. */
  readonly timeout?: string;
  /** How often a request is retried that got no answer or a server error. */
  readonly retries?: number;
}

/** A port of the container that is served. */
export interface AppPort {
  readonly name: string;
  readonly port: number;
  /** Port of its Service, to which routes and other pods connect. Default: the container's port. */
  readonly servicePort?: number;
  /** Full host name that routes to it. Left out: it is reachable inside the cluster only. */
  readonly host?: string;
  /** What is done with requests to the host name. */
  readonly rules?: RouteRules;
}

/** The port of its Service. */
export const servicePortOf = ({ port, servicePort = port }: Pick<AppPort, "port" | "servicePort">): number => servicePort;

/** Readiness and liveness are separate: when something that it depends on fails, it leaves its Service but is not restarted. */
export interface Probes {
  /** Path that answers 200 when it can serve. */
  readonly ready: string;
  /** Path that answers 200 as long as it works at all, even when what it depends on has failed; `port`: an open port is enough. */
  readonly live: string;
  /** Default: the first port. */
  readonly port?: number;
  /** How long a start may take, in seconds, before it is restarted (startup probe). Default: no startup probe; liveness is checked after 15 s. */
  readonly startSeconds?: number;
}

export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
  /** Default: none, so that it may use idle processors. */
  readonly cpuLimit?: string;
}

/** How many replicas there are, by how busy their processors are. */
export interface Autoscaling {
  readonly min: number;
  readonly max: number;
  /** Target utilization, in percent of the request. */
  readonly cpu: number;
}

/** How new replicas replace the previous ones, as numbers or percentages: `1`, `50%`. */
export interface Rollout {
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
}

/** Work that is done once for each change of the application, in a Job. */
export interface Hook {
  /** `before` its new replicas are made, such as a migration of its database; `after` they answer, such as a smoke test. */
  readonly when: "before" | "after";
  readonly command: readonly [string, ...string[]];
  /** Default: the application's. */
  readonly image?: string;
  /** Time limit. Default 300. */
  readonly timeoutSeconds?: number;
  /** How often it is tried again. Default 2. */
  readonly retries?: number;
}

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "copy" | "move"; readonly from: string; readonly path: string };

/** Changes a field that the description cannot express. A patch that matches no object is refused. */
export interface Patch {
  readonly kind: string;
  /** Name of the object (of a ConfigMap without its digest). Default: every object of the kind. */
  readonly name?: string;
  readonly operations: readonly PatchOperation[];
  readonly why: string;
}

export interface ServiceAccount {
  /** Whether its token is mounted into the container. Only an application that uses the cluster's API needs it. Default: no. */
  readonly token?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AppSpec {
  /** Also the name of its objects. */
  readonly name: string;
  /** With registry and tag or digest. */
  readonly image: string;
  /** Probes use the first one, unless they name another. */
  readonly ports: readonly [AppPort, ...AppPort[]];
  readonly probes: Probes;
  /** Default 1. */
  readonly replicas?: number | undefined;
  /** Instead of `replicas`. Needs a cluster with the metrics API. */
  readonly autoscaling?: Autoscaling;
  readonly environment?: Readonly<Record<string, string | SecretValue>>;
  /** Further environment, kept in a ConfigMap. */
  readonly config?: Readonly<Record<string, string>>;
  /** Files by their absolute paths, read-only: texts, or values of secrets/. */
  readonly files?: Readonly<Record<string, string | SecretValue>>;
  /** Default 100m and 128Mi, with a limit of 256Mi. */
  readonly resources?: Resources;
  /** Folders that the application may write to; empty at each start. */
  readonly writable?: readonly string[];
  /** User id that the image is made for. Default: the image's own. */
  readonly runAsUser?: number;
  /** How new replicas replace the previous ones. Default: Kubernetes' own, 25% for both. */
  readonly rollout?: Rollout;
  /** Default: the default account of its namespace, without its token. */
  readonly serviceAccount?: ServiceAccount;
  /** Jobs before and after a change, by name. */
  readonly hooks?: Readonly<Record<string, Hook>>;
  /** Changes that the description cannot express: RFC 6902, applied to the application's objects. */
  readonly patches?: readonly Patch[];
}

/** Placeholders of values that are known once the namespace, and what makes the issuer, exist. */
export const NAMESPACE_PLACEHOLDER = "<namespace>";
export const ISSUER_PLACEHOLDER = "<issuer>";

/** Where it runs. */
export interface AppPlace {
  readonly namespace: string;
  readonly routes: Routes;
  /** ClusterIssuer for certificates of its host names. */
  readonly issuer: string;
}

/** An object of Kubernetes as plain data. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

/** When an object has to be there: before the replicas, with them, or when they answer. */
export type Stage = "config" | "before" | "workload" | "route" | "after";

export interface StagedManifest {
  readonly stage: Stage;
  /** Its resource is named `<application>-<part>`. For a hook's Job, the hook's name. */
  readonly part: string;
  readonly manifest: Manifest;
}

/** Name of the Secret with an application's values. */
export const secretNameOf = ({ name }: Pick<AppSpec, "name">): string => `${name}-secrets`;

/** What its Secret holds: a variable by its name, a file by its base name. */
export function secretDataOf({
  environment = {},
  files = {},
}: Partial<Readonly<Record<"environment" | "files", Readonly<Record<string, unknown>> | undefined>>>): Record<string, SecretValue["secret"]> {
  const all = [...Object.entries(environment), ...Object.entries(files).map(([path, value]) => [fileKey(path), value] as const)];
  return Object.fromEntries(all.flatMap(([key, value]) => (isSecretValue(value) ? [[key, value.secret] as const] : [])));
}

/** Key of a file in its ConfigMap or Secret. */
export const fileKey = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
