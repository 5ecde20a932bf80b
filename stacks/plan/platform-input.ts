/** What the platform of a stack is planned from: its row of the matrix, its settings and the homelab's facts. */
import { K3S, KUBERNETES } from "../../ansible-replacements";
import { DEFAULT_RESOURCES } from "../../components/apps/app-defaults";
import { secretDataOf, secretNameOf } from "../../components/apps/app-spec";
import { clusterOffer } from "../../components/clusters/distributions";
import { MODULES } from "../../components/platform/catalogue";
import type { ClusterCapability, Flow } from "../../components/platform/module";
import type { WantedSecret } from "../../components/platform/namespace-grants";
import { ownPaths } from "../../secrets/load";
import { recipientsFor } from "../../secrets/sops-config";
import { environmentPath } from "../../secrets/vault-paths";
import type { App } from "../define/app";
import type { Estate } from "../load/estate";
import type { StackConfig } from "../load/settings";
import type { LoadedStack } from "../load/stacks";
import { environmentReferences } from "./app-references";
import { deliversTo } from "./deliverers";
import { joiningNodes } from "./hosts/cluster-roles";
import { clusterVmOf } from "./hosts/planned-role";
import type { ClusterFacts, Machine, PlannedApplication, PlatformInput } from "./platform-types";

/** What modules of one stack provide for the clusters of others. */
const ACROSS_STACKS = ["vault"] as const;

/** Class of volumes where the options name none. */
const STORAGE_CLASS = "local-path";

function distributionFacts({ kubeadm, k3sDisable }: Pick<StackConfig, "kubeadm" | "k3sDisable">): ClusterFacts {
  if (kubeadm !== undefined)
    return { distribution: "kubeadm", title: "kubeadm", version: `v${kubeadm.version ?? KUBERNETES.version}`, ...clusterOffer("kubeadm") };
  const title = k3sDisable.length === 0 ? "k3s" : `k3s without ${k3sDisable.join(" and ")}`;
  return { distribution: "k3s", title, version: K3S.version, ...clusterOffer("k3s", k3sDisable) };
}

/** What the stack's cluster has before a module is built: from its distribution, and from further roles of its host. */
export function clusterFacts({ clusterApi, ...config }: Pick<StackConfig, "kubeadm" | "k3sDisable" | "clusterApi">): ClusterFacts {
  const facts = distributionFacts(config);
  if (clusterApi === undefined) return facts;
  const version = clusterApi.providers.core.split(":v")[1];
  // The role refuses a provider without an exact version.
  return { ...facts, capabilities: [...facts.capabilities, "cluster-api"], ...(version === undefined ? {} : { clusterApi: version }) };
}

/** Whether the stack's cluster has it by itself, or a module brings it. */
export const hasCapability = (
  { capabilities }: Pick<ClusterFacts, "capabilities">,
  { platform }: Pick<LoadedStack, "platform">,
  wanted: ClusterCapability,
): boolean =>
  capabilities.includes(wanted) || MODULES.some(({ name, brings }) => platform[name] !== undefined && (brings as readonly string[]).includes(wanted));

interface Applications {
  readonly applications: readonly PlannedApplication[];
  /** Names, without the domain, that are left out on this cluster. */
  readonly skipped: readonly string[];
}

const routeFlow = (port: number): Flow => ({ direction: "in", peer: "routes", port, why: "its routes" });

/** Flows to other stacks: the values that it takes from them are URLs of this homelab. */
function upstreamFlows({ environment }: App): Flow[] {
  const from = [...new Set(environmentReferences({ environment }).map(({ from: stack }) => stack))];
  return from.map((stack) => ({ direction: "out", peer: "homelab", port: 443, why: `what ${stack} serves` }));
}

/** The one Secret of its namespace, where it has values of secrets/. */
function secretsOf(name: string, app: App): WantedSecret[] {
  const data = secretDataOf(app);
  return Object.keys(data).length === 0 ? [] : [{ name: secretNameOf({ name }), data }];
}

function applicationsOf({ apps }: LoadedStack, config: StackConfig, domain: string, routes: boolean): Applications {
  const all = Object.entries(apps).map(([name, app]) => {
    const hosted = app.ports.flatMap(({ host, port, withoutIngress }) =>
      host === undefined ? [] : [{ host, port, isSkipped: withoutIngress === "skip" && !routes }],
    );
    return { name, app, kept: hosted.filter(({ isSkipped }) => !isSkipped), skipped: hosted.filter(({ isSkipped }) => isSkipped) };
  });
  return {
    applications: all.map(({ name, app, kept }) => ({
      name,
      namespace: name,
      hosts: kept.map(({ host }) => ({ name: `${host}.${domain}`, serves: name, route: "ingress" as const })),
      flows: [...(app.flows ?? []), ...kept.map(({ port }) => routeFlow(port)), ...upstreamFlows(app)],
      requests: requestsOf(app, config),
      secrets: secretsOf(name, app),
      // An image whose user is unknown may run as root.
      podSecurity: app.runAsUser === undefined ? ("baseline" as const) : ("restricted" as const),
    })),
    skipped: all.flatMap(({ skipped }) => skipped.map(({ host }) => host)),
  };
}

/** The row of the matrix with what the settings add: the shared Secret; and skipped host names, whose records are deleted. */
function rowOf({ platform }: LoadedStack, { sharedSecrets }: StackConfig, skipped: readonly string[]): PlatformInput["row"] {
  const dns = platform["external-dns"];
  return {
    ...platform,
    ...(sharedSecrets ? { "shared-secrets": platform["shared-secrets"] ?? {} } : {}),
    ...(dns !== undefined && skipped.length > 0 ? { "external-dns": { ...dns, formerNames: [...(dns.formerNames ?? []), ...skipped] } } : {}),
  };
}

function given(stack: LoadedStack, all: readonly LoadedStack[]): ReadonlyMap<string, string> {
  const upstream = all.filter(({ name }) => stack.needs.includes(name));
  return new Map(ACROSS_STACKS.flatMap((thing) => upstream.filter(({ platform }) => platform[thing] !== undefined).map(({ name }) => [thing, name] as const)));
}

/** Addresses that are taken: those of all VMs, and the gateway. */
function takenAddresses({ vms, site }: Estate): ReadonlyMap<string, string> {
  return new Map([...[...vms].map(([name, spec]) => [spec.cloudInit.ipv4.address, name] as const), [site.gateway, "the gateway"]]);
}

/** Requests of an application, with its highest number of replicas. */
export function requestsOf({ replicas = 1, autoscaling, resources }: App, { appReplicas }: StackConfig): PlannedApplication["requests"] {
  const { cpu, memory } = resources ?? DEFAULT_RESOURCES;
  return { replicas: autoscaling?.max ?? (typeof replicas === "number" ? replicas : appReplicas), cpu, memory };
}

/** The cluster's machines. Volumes lie on their disks, unless a disk of its own is mounted for them. */
function machinesOf({ vms }: Estate, stack: LoadedStack, config: StackConfig): Machine[] {
  return [clusterVmOf(stack), ...joiningNodes(config).keys()].flatMap((name) => {
    const vm = vms.get(name);
    if (vm === undefined) return [];
    const diskGiB = config.usbStorage === undefined ? vm.disks.reduce((sum, disk) => sum + disk.sizeGiB, 0) : undefined;
    return [{ name, cores: vm.cores * vm.sockets, memoryMiB: vm.memoryMiB, diskGiB }];
  });
}

/** Addresses of the cluster's machines. */
function nodeAddresses({ vms }: Estate, stack: LoadedStack, config: StackConfig): string[] {
  return [clusterVmOf(stack), ...joiningNodes(config).keys()].flatMap((name) => vms.get(name)?.cloudInit.ipv4.address ?? []);
}

/** @param entries keys of the common secrets, by entry: read once for all stacks */
export function platformInput(estate: Estate, stack: LoadedStack, config: StackConfig, entries: PlatformInput["place"]["entries"]): PlatformInput {
  const { site } = estate;
  const cluster = clusterFacts(config);
  const { applications, skipped } = applicationsOf(stack, config, site.domain, hasCapability(cluster, stack, "ingress"));
  return {
    row: rowOf(stack, config, skipped),
    place: {
      environment: stack.name,
      domain: site.domain,
      contact: config.acmeEmail,
      ingressClass: config.ingressClass,
      storageClass: STORAGE_CLASS,
      piholeUrl: site.piholeUrl,
      vaultAddress: site.vaultAddress,
      vaultByOwnAuthority: estate.stacks.some(({ platform }) => platform.vault !== undefined && platform["cert-manager"]?.issuer === "own-authority"),
      entries,
      // Read only for the module that encrypts in the cluster.
      ageRecipients: stack.platform["state-backup"] === undefined ? [] : recipientsFor("secrets/common/backup.yaml"),
      deliversTo: deliversTo(estate, stack),
      ownEntries: new Map(ownPaths(stack.name).map((path) => [path, environmentPath(stack.name, path)])),
    },
    cluster,
    applications,
    given: given(stack, estate.stacks),
    machines: machinesOf(estate, stack, config),
    network: { subnet: site.subnet, nodes: nodeAddresses(estate, stack, config) },
    addresses: takenAddresses(estate),
  };
}
