/**
 * A module of the platform as data. Its spec has everything that the plan needs before anything is registered: charts, options,
 * namespaces, needs, host names, secrets. Loads no Pulumi SDK: the component is loaded when it is built.
 */
import { z } from "zod";
import type { PodSecurity } from "../base/namespace";
import type { RoutePods } from "../clusters/cluster-types";
import type { RuleException } from "../rules/rules";
import type { BuildModule } from "./context";
import type { WantedSecret } from "./namespace-grants";
import type { ChartPin, ImagePin } from "./pins";
import type { Place } from "./place";
import type { NamespaceGrant } from "./vault/vault-names";

/** Capabilities that a cluster may have, from its distribution or from a module. */
export const CLUSTER_CAPABILITIES = ["ingress", "load-balancer", "network-policy", "metrics", "cluster-api"] as const;
export type ClusterCapability = (typeof CLUSTER_CAPABILITIES)[number];

/** A name under which people or other clusters reach something. */
export interface Host {
  /** Full name, below the domain. */
  readonly name: string;
  /** What answers there, in a few words. */
  readonly serves: string;
  /**
   * `ingress`: by a route of the cluster, with a certificate. `balancer`: by a Service of the type LoadBalancer with the annotation
   * that external-dns reads. `fixed`: homelab makes no route; the record is written by hand or by a host.
   */
  readonly route: "ingress" | "balancer" | "fixed";
}

/** A value of secrets/ that the program itself puts somewhere. */
export interface ProgramSecret {
  readonly path: string;
  readonly key: string;
  readonly why: string;
}

/** What an identity in a namespace reads from Vault. */
export interface NamespaceSecrets {
  readonly namespace: string;
  /** Secrets that External Secrets makes in the namespace. */
  readonly wanted: readonly WantedSecret[];
}

/**
 * A connection that must be possible. No other one is. One side declares it: what may leave for a namespace of the environment may also
 * enter there.
 */
export interface Flow {
  readonly direction: "in" | "out";
  /** Namespace of the pods, or `node` for a port of the hosts, to which no NetworkPolicy applies. Default: the module's first namespace. */
  readonly of?: string;
  /**
   * Who is at the other end: a namespace; `cluster` for the Kubernetes API; `routes` for the ingress controller; `homelab` for its
   * machines and clusters; a CIDR; or a URL, whose host is an address, a name below the domain (then it is as `homelab`), or a name
   * of the internet.
   */
  readonly peer: string;
  /** For a pod the container's port, not the Service's: policies see packets after the Service's port has been translated. */
  readonly port: number;
  /** Last port of a range that begins with `port`. Default: that one alone. */
  readonly endPort?: number;
  /** Default TCP. */
  readonly protocol?: "TCP" | "UDP";
  readonly why: string;
}

/** Pods of one kind, as many as there are at most. */
export interface Workload {
  readonly name: string;
  /** Default: the module's first. */
  readonly namespace?: string;
  /** Default 1. */
  readonly replicas?: number;
  /** Sum of the requests of a pod's containers. Left out: the namespace's default. */
  readonly cpu?: string;
  readonly memory?: string;
  /** true: they are made by the installed program or by the module itself, at most `replicas` of them. Default: by the chart. */
  readonly onDemand?: true;
}

/** What serves the routes of a cluster by VirtualServices, instead of an ingress controller. */
export interface Gateway {
  /** `<namespace>/<name>` of the Gateway that routes name. */
  readonly reference: string;
  /** Its pods. */
  readonly pods: RoutePods;
}

/** A service mesh. Namespaces of applications belong to it. Their pods answer only callers with an identity of the mesh. */
export interface Mesh {
  /** Namespace and port of the control plane, from which proxies get certificates and configuration. */
  readonly namespace: string;
  readonly port: number;
  /** Labels of a namespace whose pods get a proxy. */
  readonly labels: Readonly<Record<string, string>>;
  /** What each proxy requests. */
  readonly proxy: { readonly cpu: string; readonly memory: string };
  /** Identity of the pods that serve routes (SPIFFE, without its scheme). */
  readonly routesIdentity: string;
}

/** A volume of the module. */
export interface Volume {
  readonly name: string;
  /** Default: the module's first. */
  readonly namespace?: string;
  readonly size: string;
  /** Default 1. */
  readonly count?: number;
  /** It is on an existing disk of its own, and does not count against the disks of the machines. */
  readonly ownDisk?: true;
  /** Its loss does no harm: a cache, or data that expires anyway. A namespace with any other volume is kept when the module is removed. */
  readonly disposable?: true;
}

/** A credential that the chart has by default and that everybody knows. */
export interface DefaultCredential {
  /** Path in the values, such as `users`. */
  readonly path: string;
  /** What there is with the chart's own values, for messages. */
  readonly is: string;
  /** Whether the value at the path turns it off; `undefined` where the values have none. */
  off(value: unknown): boolean;
}

/**
 * How to upgrade. `minor`: one minor version at a time. `steps`: through these versions of the module's images, each completed before the
 * next.
 */
export type UpgradePath =
  | { readonly by: "minor"; readonly why: string }
  | { readonly by: "steps"; readonly steps: readonly { readonly version: string; readonly why: string }[] };

type Values = Readonly<Record<string, unknown>>;

/** What depends on the options and the place. Each part may be left out where there is nothing. */
export interface ModuleParts {
  /** Charts that replace the module's own of the same release, where an option chooses another version; and charts of further releases. */
  readonly charts: Readonly<Record<string, ChartPin>>;
  /** Namespaces that it makes. No other module or application may have them. */
  readonly namespaces: readonly string[];
  /** What pods may ask for, by namespace. Default: `restricted`. */
  readonly podSecurity: Readonly<Record<string, PodSecurity>>;
  /** Namespaces without a default memory limit: what their containers need grows with their work. */
  readonly unlimited: readonly string[];
  /** Namespaces without a quota, with the reason: what their pods request in sum is not known beforehand. */
  readonly withoutQuota: Readonly<Record<string, string>>;
  readonly hosts: readonly Host[];
  /** Modules, or what modules provide, that it requires. All of their resources are made before any of its own. */
  readonly needs: readonly string[];
  /** As {@link needs}, but only those of its resources wait that use a value of theirs. */
  readonly uses: readonly string[];
  /** As {@link needs}, but only where they are in the matrix: they are not required. */
  readonly after: readonly string[];
  readonly cluster: readonly ClusterCapability[];
  readonly storageClasses: readonly string[];
  readonly ingressClasses: readonly string[];
  /** Classes that the cluster has once it is built. */
  readonly offers: { readonly storageClasses: readonly string[]; readonly ingressClasses: readonly string[] };
  readonly programSecrets: readonly ProgramSecret[];
  readonly namespaceSecrets: readonly NamespaceSecrets[];
  /** What further identities read from Vault. */
  readonly grants: readonly NamespaceGrant[];
  readonly flows: readonly Flow[];
  /** Ports that its pods listen on for routes, where it brings `ingress`. */
  readonly routePorts: readonly number[];
  /** What it requests of the machines. */
  readonly workloads: readonly Workload[];
  readonly volumes: readonly Volume[];
  /** Ranges of addresses that it assigns to Services, as `first-last` or CIDR. No node may have one of them. */
  readonly addresses: readonly string[];
  /** Values of each chart, by release name. A text in angle brackets stands for what is known only while the stack is built. */
  readonly values: Readonly<Record<string, Values>>;
}

export interface ModuleSpec<N extends string, S extends z.ZodType> {
  /** As in the matrix; also the name of its component and its folder. */
  readonly name: N;
  /** One sentence: what it is for. */
  readonly summary: string;
  /** By release name. */
  readonly charts: Readonly<Record<string, ChartPin>>;
  readonly images: readonly ImagePin[];
  /** What the matrix may say about it. Plain data in and out. */
  readonly options: S;
  /** Valid options, for a module in which some have no default because they depend on the homelab. */
  readonly example: z.input<S>;
  /** What it provides beside its own name, for the needs of others. */
  readonly provides: readonly string[];
  /** Capabilities that the cluster has once it is built. */
  readonly brings: readonly ClusterCapability[];
  /** Where it serves routes by VirtualServices. */
  readonly gateway: Gateway | undefined;
  /** Where it is a service mesh. */
  readonly mesh: Mesh | undefined;
  /** Custom resource definitions that it owns, as `<plural>.<group>`. */
  readonly crds: readonly string[];
  readonly defaultCredentials: readonly DefaultCredential[];
  /** Versions of Cluster API that have the kinds of its objects, as a range: `>=1.11.0`. Left out: it makes none. */
  readonly clusterApi: string | undefined;
  /** Left out: from any version to any newer one. */
  readonly upgrades: UpgradePath | undefined;
  /** Rules for all workloads that its own workloads are exempt from. */
  readonly exceptions: readonly RuleException[];
  readonly parts: (options: z.output<S>, place: Place) => Partial<ModuleParts>;
  /** Loads what builds it. */
  readonly build: () => BuildModule<z.output<S>>;
}

/** A module in the list of all modules, where the type of its options is not known. */
export interface Module<N extends string = string, S extends z.ZodType = z.ZodType> extends Omit<ModuleSpec<N, S>, "parts" | "build"> {
  /** @param options as {@link options} gives them */
  parts(options: z.output<S>, place: Place): ModuleParts;
  build(): BuildModule<z.output<S>>;
}

const NOTHING: ModuleParts = {
  charts: {},
  namespaces: [],
  podSecurity: {},
  unlimited: [],
  withoutQuota: {},
  hosts: [],
  needs: [],
  uses: [],
  after: [],
  cluster: [],
  storageClasses: [],
  ingressClasses: [],
  offers: { storageClasses: [], ingressClasses: [] },
  programSecrets: [],
  namespaceSecrets: [],
  grants: [],
  flows: [],
  routePorts: [],
  workloads: [],
  volumes: [],
  addresses: [],
  values: {},
};

type Optional =
  | "clusterApi"
  | "gateway"
  | "mesh"
  | "example"
  | "images"
  | "provides"
  | "brings"
  | "crds"
  | "defaultCredentials"
  | "exceptions"
  | "charts"
  | "upgrades";

/** Declares a module. What is left out of its spec is empty. */
export function defineModule<const N extends string, S extends z.ZodType>(
  spec: Omit<ModuleSpec<N, S>, Optional> & Partial<Pick<ModuleSpec<N, S>, Optional>>,
): Module<N, S> {
  return {
    example: {} as z.input<S>,
    charts: {},
    images: [],
    provides: [],
    brings: [],
    gateway: undefined,
    mesh: undefined,
    clusterApi: undefined,
    upgrades: undefined,
    crds: [],
    defaultCredentials: [],
    exceptions: [],
    ...spec,
    parts: (options, place) => ({ ...NOTHING, ...spec.parts(options, place) }),
  };
}

/** Options of a module that has none. */
export const noOptions = z.strictObject({});
