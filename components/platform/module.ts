/**
 * What a module of the platform is, as data. A module's spec names everything that the plan has to know of it before anything is
 * registered: charts, options, namespaces, needs, host names, secrets. Loads no Pulumi SDK: the component is loaded when it is built.
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

/** What a cluster may have, beside storage classes: brought by its distribution or by a module that provides it. */
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
   * that external-dns reads. `fixed`: no route of ours; the record is written by hand or by a host.
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
 * A connection that must be possible; no other one is. One side declares it: what goes out to a namespace of the environment is let
 * in there.
 */
export interface Flow {
  readonly direction: "in" | "out";
  /** Whose pods it is about: a namespace, or `node` for a port of the hosts, which no NetworkPolicy governs. Default: the module's first. */
  readonly of?: string;
  /**
   * Who is at the other end: a namespace; `cluster` for the Kubernetes API; `routes` for the ingress controller; `homelab` for its
   * machines and clusters; a CIDR; or a URL, whose host is an address, a name below the domain (then it is as `homelab`), or a name
   * of the internet.
   */
  readonly peer: string;
  /** Of the container where it is a pod's, since that is what the packet has when it gets there. */
  readonly port: number;
  /** Last port of a range that begins with `port`. Default: that one alone. */
  readonly endPort?: number;
  /** Default TCP. */
  readonly protocol?: "TCP" | "UDP";
  readonly why: string;
}

/** Pods of one kind that run all the time, or as often as they may. */
export interface Workload {
  readonly name: string;
  /** Default: the module's first. */
  readonly namespace?: string;
  /** Default 1. */
  readonly replicas?: number;
  /** What all containers of a pod request together. Left out: what the namespace gives to a container that names nothing. */
  readonly cpu?: string;
  readonly memory?: string;
  /** true: no chart makes them, but the program that it installs, as many as `replicas` at most. Default: the chart does. */
  readonly onDemand?: true;
}

/** What serves the routes of a cluster by VirtualServices, in place of an ingress controller. */
export interface Gateway {
  /** `<namespace>/<name>` of the Gateway that routes name. */
  readonly reference: string;
  /** Its pods. */
  readonly pods: RoutePods;
}

/** A service mesh: applications' namespaces are in it, and in them only who has an identity of it is answered. */
export interface Mesh {
  /** Namespace and port at which proxies get their certificates and what they do. */
  readonly namespace: string;
  readonly port: number;
  /** Of a namespace whose pods get a proxy. */
  readonly labels: Readonly<Record<string, string>>;
  /** What each proxy requests. */
  readonly proxy: { readonly cpu: string; readonly memory: string };
  /** Identity of the pods that serve routes (SPIFFE, without its scheme). */
  readonly routesIdentity: string;
}

/** A volume that it keeps. */
export interface Volume {
  readonly name: string;
  /** Default: the module's first. */
  readonly namespace?: string;
  readonly size: string;
  /** Default 1. */
  readonly count?: number;
  /** It lies on a disk of its own, which is there already, and takes nothing from those of the machines. */
  readonly ownDisk?: true;
  /** It is lost without harm: a cache, or what is deleted after some days anyhow. Others keep their namespace when the module goes. */
  readonly disposable?: true;
}

/** A credential that the chart has by default and that everybody knows. */
export interface DefaultCredential {
  /** Path in the values, such as `users`. */
  readonly path: string;
  /** What it is, without values left as they are. */
  readonly is: string;
  /** Whether the value at the path turns it off; `undefined` where the values have none. */
  off(value: unknown): boolean;
}

/**
 * How one comes from a version to a newer one. `minor`: through each minor version. `steps`: through these, each whole before the next;
 * the versions are those of the module's images.
 */
export type UpgradePath =
  | { readonly by: "minor"; readonly why: string }
  | { readonly by: "steps"; readonly steps: readonly { readonly version: string; readonly why: string }[] };

type Values = Readonly<Record<string, unknown>>;

/** What depends on the options and the place. Each part may be left out where there is nothing. */
export interface ModuleParts {
  /** Charts in place of the module's own of the same release, where an option chooses another version; and those of further releases. */
  readonly charts: Readonly<Record<string, ChartPin>>;
  /** Namespaces that it makes. No other module or application may have them. */
  readonly namespaces: readonly string[];
  /** What pods may ask for, by namespace. Default: `restricted`. */
  readonly podSecurity: Readonly<Record<string, PodSecurity>>;
  /** Namespaces in which a container that names no limit of memory has none: what it needs grows with what it works on. */
  readonly unlimited: readonly string[];
  /** Namespaces of which nobody knows beforehand what their pods together ask for, each with the reason: they have no quota. */
  readonly withoutQuota: Readonly<Record<string, string>>;
  readonly hosts: readonly Host[];
  /** Modules, or what modules provide, that must be there. Nothing of it is made before all of theirs is. */
  readonly needs: readonly string[];
  /** The same, where only those of its resources wait that take something of theirs. */
  readonly uses: readonly string[];
  /** As {@link needs}, where they are in the matrix; nothing is missing where they are not. */
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
  /** What it asks of the machines. */
  readonly workloads: readonly Workload[];
  readonly volumes: readonly Volume[];
  /** Ranges of addresses that it gives out, as `first-last` or CIDR. No node may have one of them. */
  readonly addresses: readonly string[];
  /** Values of each chart, by release name. What is known only while it is built stands as a text in angle brackets. */
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
  /** Options that suffice, where some must be given: what depends on the homelab alone has no default. */
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
  /** Left out: from any version to any newer one. */
  readonly upgrades: UpgradePath | undefined;
  /** Rules for all workloads that do not hold for its own. */
  readonly exceptions: readonly RuleException[];
  readonly parts: (options: z.output<S>, place: Place) => Partial<ModuleParts>;
  /** Loads what builds it. */
  readonly build: () => BuildModule<z.output<S>>;
}

/** A spec whose options have been forgotten: what a list of all modules holds. */
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

type Optional = "gateway" | "mesh" | "example" | "images" | "provides" | "brings" | "crds" | "defaultCredentials" | "exceptions" | "charts" | "upgrades";

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
