/** Input and result of the plan of a platform. Types only. */

import type { NamespaceArgs, PodSecurity } from "../../components/base/namespace";
import type { DistributionName, RoutePods } from "../../components/clusters/cluster-types";
import type { ClusterCapability, Flow, Host, Module, ModuleParts } from "../../components/platform/module";
import type { WantedSecret } from "../../components/platform/namespace-grants";
import type { ChartPin, ImagePin } from "../../components/platform/pins";
import type { Place } from "../../components/platform/place";
import type { RuleException } from "../../components/rules/rules";

/** What the platform has to know of an application. */
export interface PlannedApplication {
  readonly name: string;
  readonly namespace: string;
  readonly hosts: readonly Host[];
  /** Of its own namespace. */
  readonly flows: readonly Flow[];
  readonly podSecurity: PodSecurity;
  /** Of its own namespace. */
  readonly secrets: readonly WantedSecret[];
  readonly requests: { readonly replicas: number; readonly cpu: string; readonly memory: string };
}

/** What the cluster has before a module is built. */
export interface ClusterFacts {
  readonly distribution: DistributionName;
  /** As messages name it: `k3s without traefik`. */
  readonly title: string;
  /** Version of Kubernetes that its role installs: `v1.36.2+k3s1`. */
  readonly version: string;
  readonly capabilities: readonly ClusterCapability[];
  /** Version of Cluster API's core, where a role installs it: `1.14.2`. */
  readonly clusterApi?: string;
  readonly storageClasses: readonly string[];
  readonly ingressClasses: readonly string[];
  /** Pods of the distribution that serve routes. */
  readonly routePods?: RoutePods;
}

/** A machine of the cluster. */
export interface Machine {
  readonly name: string;
  /** Of all sockets. */
  readonly cores: number;
  readonly memoryMiB: number;
  /** Size of the disks that volumes use; undefined where it is unknown. */
  readonly diskGiB: number | undefined;
}

/** Addresses for network policies. */
export interface NetworkFacts {
  /** Of all machines of the homelab, CIDR. */
  readonly subnet: string;
  /** Of the cluster's own machines: its API answers at them, and connects from them. */
  readonly nodes: readonly string[];
}

export interface PlatformInput {
  /** The environment's row of the matrix: options by module, not checked. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly place: Omit<Place, "hostNames" | "routeNames" | "kinds" | "routes" | "distribution">;
  readonly cluster: ClusterFacts;
  readonly applications: readonly PlannedApplication[];
  /** What other stacks provide, such as `vault`, with the stack's name. */
  readonly given: ReadonlyMap<string, string>;
  readonly network: NetworkFacts;
  readonly machines: readonly Machine[];
  /** Addresses that hosts have, with their names. */
  readonly addresses: ReadonlyMap<string, string>;
}

export interface PlannedModule {
  readonly name: string;
  /** With their defaults. */
  readonly options: unknown;
  /** Modules of the environment that are built before it, in the plan's order. */
  readonly after: readonly string[];
  /** Those of them whose resources must all exist before any of its own is made. */
  readonly waitsFor: readonly string[];
  readonly parts: ModuleParts;
  readonly summary: string;
  readonly charts: Readonly<Record<string, ChartPin>>;
  readonly images: readonly ImagePin[];
  readonly crds: readonly string[];
  /** Rules for all workloads that its own workloads are exempt from. */
  readonly exceptions: readonly RuleException[];
}

/** What pods request, or a machine has. */
export interface Amount {
  /** Thousandths of a processor. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Of volumes. */
  readonly diskGiB: number;
}

export interface Requests {
  readonly asked: Amount;
  /** What pods can have: without what the machine itself and Kubernetes need. `diskGiB` is undefined where the size of the disks is unknown. */
  readonly room: Amount | (Omit<Amount, "diskGiB"> & { readonly diskGiB: undefined });
  /** By module and application, the greatest first. */
  readonly by: readonly (Amount & { readonly name: string })[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface PlatformPlan {
  readonly environment: string;
  readonly place: Place;
  readonly cluster: ClusterFacts;
  /** In the order in which they are built. */
  readonly modules: readonly PlannedModule[];
  /** Host names of modules and applications with their owners, sorted by name. */
  readonly hosts: readonly (Host & { readonly owner: string })[];
  /** Namespaces of modules and applications by name, with labels and policies. */
  readonly namespaces: ReadonlyMap<string, NamespaceArgs>;
  /** Modules whose resources must all exist before any of an application is made: the ones with the mesh and the gateway. */
  readonly beforeApplications: readonly string[];
  /** What is requested of the machines, and what they have. */
  readonly requests: Requests;
  /** Whether the cluster serves routes, and whether it has the metrics API: by itself, or by a module. */
  readonly hasRoutes: boolean;
  readonly hasMetrics: boolean;
  /** What its applications read from Vault, by namespace. */
  readonly applicationSecrets: ReadonlyMap<string, readonly WantedSecret[]>;
}

/** A module of the row with its options, not ordered yet. */
export interface ChosenModule {
  readonly module: Module;
  readonly options: unknown;
  readonly parts: ModuleParts;
}
