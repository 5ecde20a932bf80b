/**
 * Which roles each host has, and where their secrets come from: the only place that makes roles of settings. The programs run
 * them (environments/host-roles.ts), and `homelab hosts check` looks at the same ones. Loads no Pulumi SDK.
 */
import {
  ADMIN_KUBECONFIG,
  base,
  bootServer,
  clusterApi,
  combineRoles,
  haproxy,
  k3sServer,
  kubeadmAdmission,
  kubeadmCluster,
  kubeadmJoin,
  kubeadmNode,
  longhornPrep,
  pihole,
  type Role,
  teleport,
  usbStorage,
} from "../ansible-replacements";
import { HomelabError } from "../common/errors";
import type { VmSpec } from "../components/hosts/vm-spec";
import type { StackConfig } from "./config";
import type { StackName } from "./outputs";
import { SITE } from "./site";

const STORE = "cluster-secret-store/secrets";

/** The VM that each stack's cluster runs on. */
export const CLUSTER_VMS: Readonly<Record<StackName, string>> = {
  tools: "k8s-tools",
  observability: "k8s-observability",
  home: "k8s-home",
  sandboxy: "k8s-sandbox-01",
  dev: "k8s-dev",
  stg: "k8s-stg",
  prod: "k8s-prod",
};
/** The VM that resolves names for the others. */
export const DNS_VM = "dns";
const PROXY_VM = "haproxy";
const KUBERNETES_PORT = 6443;

/**
 * An entry of secrets/ and one of its keys, or what only travels like a secret: a value, or the hash of the authority of the
 * stack's cluster, which is known once the cluster is there.
 */
export type SecretSource = { path: string; key: string } | { value: string } | "cluster's CA hash";

export interface PlannedRole {
  role: Role;
  /** For each secret of the role. */
  secrets: Readonly<Record<string, SecretSource>>;
  /** What another host of the stack does right before this role is applied to a new host. */
  admission?: { vm: string; role: Role; secrets: Readonly<Record<string, SecretSource>> };
}

export interface RoleRequest {
  stack: StackName;
  config: StackConfig;
  /** Names of the VMs that the stack owns. */
  owned: readonly string[];
  /** All VMs of the homelab: a load balancer knows hosts of other stacks. */
  vms: ReadonlyMap<string, VmSpec>;
}

/** Settings that are about one VM of the stack tools. */
const VM_SETTINGS = { dns: DNS_VM, haproxy: PROXY_VM, teleport: "teleport", bootServer: "boot-server" } as const;
type VmSetting = keyof typeof VM_SETTINGS;

const inStore = (entry: string, key = entry): SecretSource => ({ path: `${STORE}/${entry}`, key });
const ofKubeadm = (key: string): SecretSource => inStore("KUBEADM", key);
const FIRST_NODE_SECRETS = { KUBEADM_TOKEN: ofKubeadm("KUBEADM_TOKEN"), KUBEADM_CERTIFICATE_KEY: ofKubeadm("KUBEADM_CERTIFICATE_KEY") };
const addressOf = (vms: RoleRequest["vms"], name: string): string | undefined => vms.get(name)?.cloudInit.ipv4.address;

/** The same without what is undefined, which roles take for not given. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
const defined = <T extends object>(value: T): Defined<T> => Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>;

/** QEMU's name for a disk, as udev makes it of the slot: stable whatever else is attached. */
function passedThroughDevice(stack: StackName, { name, passthrough }: VmSpec): string {
  const [disk] = passthrough;
  if (disk === undefined)
    throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${stack}.yaml: homelab:usbStorage: the VM ${name} has no disk of its host`, {
      subject: name,
      hint: `add nested_disks.scsi.scsi1.passthrough to stacks/inventory/vms/${name}.yaml, or take the setting out`,
    });
  return `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-${disk.interface}`;
}

/** The host of a cluster, in one session: its disk, what its storage needs, k3s or the first node of kubeadm. */
function clusterNode({ stack, config, vms }: RoleRequest, spec: VmSpec): PlannedRole {
  const { usbStorage: usb, longhorn, kubeadm, localStoragePath } = config;
  const { address } = spec.cloudInit.ipv4;
  const proxy = addressOf(vms, PROXY_VM);
  // Under which the load balancer is asked for any of the clusters.
  const alternativeNames = proxy === undefined ? [] : [proxy];
  const host = [
    base,
    ...(usb === undefined ? [] : [usbStorage({ device: passedThroughDevice(stack, spec), path: usb.path, directories: usb.directories })]),
    ...(longhorn === undefined ? [] : [longhornPrep(defined(longhorn))]),
  ];
  if (kubeadm === undefined)
    return {
      role: combineRoles(
        "k3s-node",
        ...host,
        k3sServer({ address, alternativeNames, disable: config.k3sDisable, localStoragePath, ...defined(config.k3s ?? {}) }),
      ),
      secrets: {},
    };
  const { nodes: _joining, cilium, ...versions } = kubeadm;
  const cluster = kubeadmCluster({
    ...defined(versions),
    cilium: defined(cilium),
    name: spec.name,
    clusterName: stack,
    address,
    endpoint: endpointOf(spec),
    lan: SITE.subnet,
    alternativeNames,
  });
  return { role: combineRoles("kubeadm-first", ...host, kubeadmNode(versionOf(kubeadm)), cluster), secrets: FIRST_NODE_SECRETS };
}

const endpointOf = ({ cloudInit }: VmSpec): string => `${cloudInit.ipv4.address}:${KUBERNETES_PORT}`;
const versionOf = ({ version }: { version?: string | undefined }): { version?: string } => (version === undefined ? {} : { version });

/** The VMs that join the stack's cluster, each with what it joins as. */
export const joiningNodes = ({ kubeadm }: StackConfig): ReadonlyMap<string, "control-plane" | "worker"> => new Map(Object.entries(kubeadm?.nodes ?? {}));

/** A further node of the stack's cluster. */
function joiningNode({ config, stack, vms }: RoleRequest, { name, cloudInit }: VmSpec, kind: "control-plane" | "worker"): PlannedRole {
  const first = vms.get(CLUSTER_VMS[stack]);
  if (first === undefined) throw new HomelabError("E_VM_UNKNOWN", `the stack ${stack} has no VM ${CLUSTER_VMS[stack]}`, { subject: CLUSTER_VMS[stack] });
  const join = kubeadmJoin({ name, address: cloudInit.ipv4.address, endpoint: endpointOf(first), kind });
  return {
    role: combineRoles("kubeadm-node", base, kubeadmNode(versionOf(config.kubeadm ?? {})), join),
    secrets: {
      KUBEADM_TOKEN: ofKubeadm("KUBEADM_TOKEN"),
      KUBEADM_CA_HASH: "cluster's CA hash",
      ...(kind === "worker" ? {} : { KUBEADM_CERTIFICATE_KEY: ofKubeadm("KUBEADM_CERTIFICATE_KEY") }),
    },
    admission: { vm: first.name, role: kubeadmAdmission(), secrets: FIRST_NODE_SECRETS },
  };
}

function clusterRoles(request: RoleRequest, spec: VmSpec): PlannedRole[] {
  const { clusterApi: capi, kubeadm } = request.config;
  const node = clusterNode(request, spec);
  if (capi === undefined) return [node];
  return [
    node,
    {
      role: clusterApi({ ...capi, ...(kubeadm === undefined ? {} : { kubeconfig: ADMIN_KUBECONFIG, kubectl: `kubectl --kubeconfig ${ADMIN_KUBECONFIG}` }) }),
      secrets: {
        PROXMOX_URL: { value: SITE.proxmoxEndpoint.replace(/\/$/, "") },
        PROXMOX_TOKEN: inStore("PROXMOX_TOKEN_ID"),
        PROXMOX_SECRET: inStore("PROXMOX_SECRET"),
      },
    },
  ];
}

/** Vault's name: external-dns takes its password from Vault, so that somebody else must say first where that is. */
function fixedNames(vms: RoleRequest["vms"]): Record<string, string> {
  const address = addressOf(vms, CLUSTER_VMS.tools);
  return address === undefined ? {} : { [new URL(SITE.vaultAddress).hostname]: address };
}

const SERVICES: Readonly<Record<VmSetting, (request: RoleRequest, spec: VmSpec) => PlannedRole[]>> = {
  dns: ({ config: { dns }, vms }) => {
    if (dns === undefined) return [];
    const role = pihole(defined({ ...dns, hosts: { ...fixedNames(vms), ...dns.hosts } }));
    return [{ role: combineRoles("dns", base, role), secrets: { PIHOLE_PASSWORD: inStore("EXTERNAL_DNS_PIHOLE_PASSWORD", "PIHOLE_PASSWORD") } }];
  },
  haproxy: ({ config, vms }) => {
    if (config.haproxy === undefined) return [];
    const clusters = Object.entries(config.haproxy.frontends).map(([stack, frontendPort]) => {
      const name = CLUSTER_VMS[stack as StackName];
      const address = addressOf(vms, name);
      if (address === undefined) throw new HomelabError("E_VM_UNKNOWN", `haproxy: the stack ${stack} has no VM ${name}`, { subject: name });
      return { name: stack, frontendPort, backendPort: KUBERNETES_PORT, nodes: [{ name, address }] };
    });
    const { stats } = config.haproxy;
    const role = haproxy({ clusters, ...(stats === undefined ? {} : { stats: defined(stats) }) });
    return [{ role: combineRoles("haproxy", base, role), secrets: { HAPROXY_STATS_PASSWORD: inStore("HAPROXY", "HAPROXY_STATS_PASSWORD") } }];
  },
  teleport: ({ config }) => {
    if (config.teleport === undefined) return [];
    const { domain = `teleport.${SITE.domain}`, postgres, version, ...rest } = config.teleport;
    const role = teleport({ ...rest, domain, acmeEmail: config.acmeEmail, postgres: defined(postgres), ...(version === undefined ? {} : { version }) });
    const secrets = {
      CLOUDFLARE_API_TOKEN: { path: "cloudflare", key: "api-token" },
      TELEPORT_POSTGRES_PASSWORD: inStore("POSTGRES", "POSTGRES_PASSWORD"),
      AWS_ACCESS_KEY_ID: inStore("AWS_ACCESS_KEY_ID"),
      AWS_SECRET_ACCESS_KEY: inStore("AWS_SECRET_ACCESS_KEY"),
    };
    return [{ role: combineRoles("teleport", base, role), secrets }];
  },
  bootServer: ({ config }, { cloudInit }) => {
    if (config.bootServer === undefined) return [];
    const { iso, assistant, answer } = config.bootServer;
    const role = bootServer({ address: cloudInit.ipv4.address, network: SITE.subnet, iso, assistant, answer: { ...answer, sshKeys: SITE.operatorKeys } });
    return [{ role: combineRoles("boot-server", base, role), secrets: { PVE_ROOT_PASSWORD_HASH: inStore("PVE_ROOT_PASSWORD_HASH") } }];
  },
};

/** What the programs of stacks build on that k3s brings and kubeadm does not. */
const ONLY_WITH_K3S: Readonly<Partial<Record<StackName, string>>> = {
  tools: "volumes of local-path and routes of Traefik for Vault and MinIO",
  observability: "a route of Traefik, under which traces are taken",
  dev: "a route of Traefik for its application",
  stg: "a route of Traefik for its application",
  prod: "a route of Traefik for its application",
};

/** @throws HomelabError where a cluster of kubeadm cannot be what the settings and the stack's program ask for */
function checkKubeadm({ stack, config, owned, vms }: RoleRequest): void {
  if (config.kubeadm === undefined) return;
  const refuse = (what: string, hint: string): never => {
    throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${stack}.yaml: homelab:kubeadm${what}`, { subject: `Pulumi.${stack}.yaml`, hint });
  };
  const missing = ONLY_WITH_K3S[stack];
  if (missing !== undefined) refuse(`: the stack needs ${missing}: k3s brings that, and kubeadm does not`, "take the setting out: the cluster is then k3s");
  const ofK3s = [
    ...(config.k3s === undefined ? [] : ["k3s"]),
    ...(config.k3sDisable.length === 0 ? [] : ["k3sDisable"]),
    ...(config.localStoragePath === undefined ? [] : ["localStoragePath"]),
  ];
  if (ofK3s.length > 0)
    refuse(` excludes homelab:${ofK3s.join(" and homelab:")}, which ${ofK3s.length === 1 ? "is" : "are"} about k3s`, "take one of them out");
  for (const name of Object.keys(config.kubeadm.nodes)) {
    if (!owned.includes(name)) refuse(`: nodes names ${name}, which is no VM of this stack`, `its VMs are: ${owned.join(", ")}`);
    if (name === CLUSTER_VMS[stack]) refuse(`: nodes names ${name}, which is the cluster's first node anyway`, "take it out of nodes");
    if (vms.get(name)?.running === false)
      throw new HomelabError("E_HOST_OFF", `Pulumi.${stack}.yaml: homelab:kubeadm: nodes names ${name}, and that VM is off`, {
        subject: name,
        hint: `take vm_state out of stacks/inventory/vms/${name}.yaml, or the node out of the setting`,
      });
  }
}

/** @throws HomelabError for a setting whose VM the stack does not own, or which is off */
function checkSettings({ stack, config, owned, vms }: RoleRequest): void {
  for (const [setting, vm] of Object.entries(VM_SETTINGS) as [VmSetting, string][]) {
    if (config[setting] === undefined) continue;
    if (!owned.includes(vm))
      throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${stack}.yaml: homelab:${setting} is about the VM ${vm}, which is no VM of this stack`, {
        subject: `Pulumi.${stack}.yaml`,
        hint: "move it to the settings of the stack that owns the VM: tools",
      });
    if (vms.get(vm)?.running === false)
      throw new HomelabError("E_HOST_OFF", `Pulumi.${stack}.yaml: homelab:${setting} is set, and the VM ${vm} is off`, {
        subject: vm,
        hint: `take vm_state out of stacks/inventory/vms/${vm}.yaml, or the setting out of the stack`,
      });
  }
}

/**
 * The roles of a stack's hosts by VM, in the order in which they are applied. The first one of a cluster's VM makes the cluster.
 * A host that is not managed beyond its VM has none.
 * @throws HomelabError E_CONFIG_VALUE, E_HOST_OFF, E_ROLE_ARGS for settings that cannot be
 */
export function planRoles(request: RoleRequest): Map<string, PlannedRole[]> {
  checkSettings(request);
  checkKubeadm(request);
  const joining = joiningNodes(request.config);
  const settingOf = new Map<string, VmSetting>(Object.entries(VM_SETTINGS).map(([setting, vm]) => [vm, setting as VmSetting]));
  return new Map(
    request.owned.flatMap((name): [string, PlannedRole[]][] => {
      const spec = request.vms.get(name);
      if (spec === undefined) return [];
      const setting = settingOf.get(name);
      const kind = joining.get(name);
      if (name === CLUSTER_VMS[request.stack]) return [[name, clusterRoles(request, spec)]];
      if (kind !== undefined) return [[name, [joiningNode(request, spec, kind)]]];
      return [[name, setting === undefined ? [] : SERVICES[setting](request, spec)]];
    }),
  );
}

/** Groups of an inventory that a host is in. */
export function groupsOf(stack: StackName, name: string, config: StackConfig): string[] {
  if (name === CLUSTER_VMS[stack]) return [config.kubeadm === undefined ? "k3s" : "kubeadm", stack];
  return [joiningNodes(config).has(name) ? "kubeadm" : name.replace(/[^a-z0-9]/g, "_"), stack];
}

/** The entries of secrets/ that roles take values from. */
export const secretPaths = (roles: Iterable<PlannedRole>): string[] => [
  ...new Set(
    [...roles].flatMap(({ secrets }) => Object.values(secrets).flatMap((source) => (typeof source === "object" && "path" in source ? [source.path] : []))),
  ),
];
