/**
 * What an application is, as data: one container without state of its own, with what belongs to it. What the matrix says of it
 * (stacks/define/app.ts), put together for one environment. Loads no Pulumi SDK.
 *
 * Where a value is known only while a stack is built, a text in angle brackets stands in its place ({@link withValues}).
 */
import type { Routes } from "../platform/place";

/** A value of secrets/, which reaches the application through Vault and a Kubernetes Secret of its namespace. */
export interface SecretValue {
  readonly secret: { readonly path: string; readonly key: string };
}

export const isSecretValue = (value: unknown): value is SecretValue => typeof value === "object" && value !== null && "secret" in value;

/** What a gateway of Istio does with requests to a port's host name; an Ingress has none of it. */
export interface RouteRules {
  /** After which a request is given up: `30s`. */
  readonly timeout?: string;
  /** How often a request is tried again that got no answer, or an error of the server. */
  readonly retries?: number;
}

/** A port of the container that is served. */
export interface AppPort {
  readonly name: string;
  readonly port: number;
  /** Of its Service, which routes and other pods ask. Default: the container's. */
  readonly servicePort?: number;
  /** Full host name that leads to it. Left out: it is reached inside the cluster only. */
  readonly host?: string;
  /** What is done with requests to the host name. */
  readonly rules?: RouteRules;
}

/** Under which its Service has a port. */
export const servicePortOf = ({ port, servicePort = port }: Pick<AppPort, "port" | "servicePort">): number => servicePort;

/** Two questions, so that the outage of something that it depends on takes it out of its Service and does not start it again. */
export interface Probes {
  /** Path that answers 200 when it can serve. */
  readonly ready: string;
  /** Path that answers 200 as long as it works at all, whatever becomes of what it depends on; `port`: an open port is enough. */
  readonly live: string;
  /** Default: the first port. */
  readonly port?: number;
  /** How long a start may take, in seconds: until then it is not started again. Default: 15 seconds until the first question. */
  readonly startSeconds?: number;
}

export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
  /** Default: none, so that a processor that nobody uses is not wasted. */
  readonly cpuLimit?: string;
}

/** How many replicas there are, by how busy their processors are. */
export interface Autoscaling {
  readonly min: number;
  readonly max: number;
  /** Of what is requested, in percent. */
  readonly cpu: number;
}

/** How new replicas take the place of those before, as numbers or percentages: `1`, `50%`. */
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
  /** After which it has failed. Default 300. */
  readonly timeoutSeconds?: number;
  /** How often it is tried again. Default 2. */
  readonly retries?: number;
}

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "copy" | "move"; readonly from: string; readonly path: string };

/** The way out for what the description has no word for. It must match: a patch of nothing is refused. */
export interface Patch {
  readonly kind: string;
  /** Name of the object, of a ConfigMap without its digest. Default: each of the kind. */
  readonly name?: string;
  readonly operations: readonly PatchOperation[];
  readonly why: string;
}

export interface ServiceAccount {
  /** Whether its token lies in the container: only who speaks to the cluster's API needs it. Default: no. */
  readonly token?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AppSpec {
  /** Also the name of its objects. */
  readonly name: string;
  /** With registry and tag or digest. */
  readonly image: string;
  /** The first one is that of the probes. */
  readonly ports: readonly [AppPort, ...AppPort[]];
  readonly probes: Probes;
  /** Default 1. */
  readonly replicas?: number | undefined;
  /** In the place of `replicas`. Needs a cluster that has metrics. */
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
  /** How new replicas take the place of those before. Default: Kubernetes' own, a quarter more and none less. */
  readonly rollout?: Rollout;
  /** Default: that of its namespace, without its token. */
  readonly serviceAccount?: ServiceAccount;
  /** Jobs before and after a change, by name. */
  readonly hooks?: Readonly<Record<string, Hook>>;
  /** Where the description has no word for something: RFC 6902, on the objects that are made of it. */
  readonly patches?: readonly Patch[];
}

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
  /** Name of its resource below the application's; of a hook's Job its own name. */
  readonly part: string;
  readonly manifest: Manifest;
}

/** Name of the Secret with an application's values. */
export const secretNameOf = ({ name }: Pick<AppSpec, "name">): string => `${name}-secrets`;

/** What its Secret holds, by key: a value of the environment by its name, a file by the name that it has in its folder. */
export function secretDataOf({
  environment = {},
  files = {},
}: Partial<Readonly<Record<"environment" | "files", Readonly<Record<string, unknown>> | undefined>>>): Record<string, SecretValue["secret"]> {
  const all = [...Object.entries(environment), ...Object.entries(files).map(([path, value]) => [fileKey(path), value] as const)];
  return Object.fromEntries(all.flatMap(([key, value]) => (isSecretValue(value) ? [[key, value.secret] as const] : [])));
}

/** Under which a file lies in its ConfigMap or Secret. */
export const fileKey = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
