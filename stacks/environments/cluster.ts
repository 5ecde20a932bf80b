/** What all environments have in common, so that each one's file says only what is its own. */
import { Provider as ProxmoxProvider } from "@muhlba91/pulumi-proxmoxve/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { known } from "../../components/base/known-failure";
import { K3sCluster } from "../../components/clusters/k3s-cluster";
import { KubeadmCluster } from "../../components/clusters/kubeadm-cluster";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import type { HostAccess } from "../../components/hosts/connection";
import { Vm } from "../../components/hosts/vm";
import type { VmSpec } from "../../components/hosts/vm-spec";
import { CertManager } from "../../components/platform/cert-manager";
import { ClusterServices } from "../../components/platform/cluster-services";
import { KV_MOUNT } from "../../components/platform/vault-names";
import type { StackConfig } from "../config";
import { HOST_NAMES } from "../host-names";
import { groupsOf, joiningNodes } from "../host-roles";
import { type InventoryHost, renderIni, renderSshConfig } from "../inventory/render";
import type { Outputs, StackContext } from "../program";
import { SHARED_ENTRIES } from "../vault-grants";
import { applyRoles, applyServiceRoles, secretValues } from "./host-roles";

const STORE = "cluster-secret-store/secrets";

/** Access to Proxmox by API token over verified TLS. */
export function proxmoxProvider(context: StackContext<never>): ProxmoxProvider {
  const id = context.secrets.get(`${STORE}/PROXMOX_TOKEN_ID`, "PROXMOX_TOKEN_ID");
  const secret = context.secrets.get(`${STORE}/PROXMOX_SECRET`, "PROXMOX_SECRET");
  return new ProxmoxProvider("proxmox", { endpoint: context.site.proxmoxEndpoint, apiToken: pulumi.secret(pulumi.interpolate`${id}=${secret}`) });
}

/** A VM that holds data, or any where the stack says so, is protected until the setting replaceVms names it. */
export function isProtected(spec: VmSpec, config: StackConfig): boolean {
  const released = config.replaceVms.includes("*") || config.replaceVms.includes(spec.name);
  return (spec.holdsData || config.protectVms) && !released;
}

/** @throws HomelabError E_VM_UNKNOWN for a name in replaceVms that is no VM of the stack */
function checkReleased({ stack, config, vms }: StackContext<never>): void {
  const names = vms.map(({ name }) => name);
  const unknown = config.replaceVms.find((name) => name !== "*" && !names.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, names);
  throw new HomelabError("E_VM_UNKNOWN", `Pulumi.${stack}.yaml: homelab:replaceVms names "${unknown}", which is no VM of this stack`, {
    subject: unknown,
    hint: meant === undefined ? `its VMs are: ${names.join(", ")}` : `did you mean "${meant}"?`,
  });
}

/** The stack's VMs, by name. @param templateOf id of the template on a node */
export function buildVms(context: StackContext<never>, proxmox: ProxmoxProvider, templateOf: (node: string) => pulumi.Input<number>): Map<string, Vm> {
  checkReleased(context);
  return new Map(
    context.vms.map((spec) => [
      spec.name,
      new Vm(
        spec.name,
        {
          spec,
          templateId: templateOf(spec.node),
          user: context.site.user,
          operatorKeys: context.site.operatorKeys,
          stack: context.stack,
          protect: isProtected(spec, context.config),
          ready: { access: accessOf(context, spec), checkout: context.checkout },
        },
        proxmox,
      ),
    ]),
  );
}

/** The stack's VMs as outputs: addresses, and the inventory in the forms that other tools read. */
export function hostOutputs(context: StackContext<never>, vms: ReadonlyMap<string, Vm>) {
  const hosts = Object.fromEntries(
    context.vms.flatMap((spec): [string, pulumi.Output<InventoryHost>][] => {
      const vm = vms.get(spec.name);
      if (vm === undefined) return [];
      const { user } = accessOf(context, spec);
      const fixed = { user, node: spec.node, running: spec.running, groups: groupsOf(context.stack, spec.name, context.config) };
      return [[spec.name, pulumi.all([vm.address, vm.hostKey ?? ""]).apply(([address, hostKey]) => ({ address, hostKey, ...fixed }))]];
    }),
  );
  return {
    vms: Object.fromEntries([...vms].map(([name, vm]) => [name, vm.address])),
    hosts,
    inventory: pulumi.all(hosts).apply(renderIni),
    sshConfig: pulumi.all(hosts).apply((all) => renderSshConfig(all)),
  };
}

/** How a VM's host is reached by SSH. */
function accessOf({ site, secrets, bastion }: StackContext<never>, spec: VmSpec): HostAccess {
  return {
    user: spec.cloudInit.user ?? site.user,
    privateKey: secrets.get(`${STORE}/SSH_PRIVATE_KEY`, "SSH_PRIVATE_KEY"),
    ...(bastion === undefined ? {} : { bastion: { ...bastion, privateKey: pulumi.secret(bastion.privateKey) } }),
  };
}

/** The roles of the stack's hosts, with the cluster on its VM and those that join it. */
export function buildCluster(context: StackContext<never>, vms: ReadonlyMap<string, Vm>, vmName: string): KubernetesCluster {
  const vm = vms.get(vmName);
  const spec = context.vms.find(({ name }) => name === vmName);
  const [node] = context.roles.get(vmName) ?? [];
  if (vm === undefined || spec === undefined || node === undefined) {
    throw new HomelabError("E_VM_OWNER", `the stack "${context.stack}" builds its cluster on "${vmName}" and does not own that VM`, { subject: context.stack });
  }
  const accessTo = (name: string) => accessOf(context, context.vms.find((other) => other.name === name) ?? spec);
  const after = applyServiceRoles(context, vms, accessTo)(vmName);
  const access = accessOf(context, spec);
  const secrets = secretValues(context, node.secrets);
  const args = {
    vm,
    address: spec.cloudInit.ipv4.address,
    contextName: context.stack,
    access,
    role: node.role,
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    after,
  };
  const cluster = context.config.kubeadm === undefined ? new K3sCluster(context.stack, args) : new KubeadmCluster(context.stack, args);
  const first = { name: vmName, built: vm, access };
  applyRoles(context, first, 1, [cluster.role]);
  if (cluster instanceof KubeadmCluster) {
    for (const name of joiningNodes(context.config).keys()) {
      const built = vms.get(name);
      if (built !== undefined) applyRoles(context, { name, built, access: accessTo(name) }, 0, [cluster.role], { first, caHash: cluster.caHash });
    }
  }
  return cluster;
}

/** Certificates for the cluster's host names. */
export function buildCertManager(context: StackContext<never>, cluster: KubernetesCluster): CertManager {
  return new CertManager(
    "cert-manager",
    { email: context.config.acmeEmail, cloudflareToken: context.secrets.get("cloudflare", "api-token"), domain: context.site.domain },
    cluster.provider,
  );
}

/** What a cluster gets from Vault and Pi-hole. */
export function buildClusterServices(
  context: StackContext<never>,
  cluster: KubernetesCluster,
  vault: { provider: VaultProvider; mount: pulumi.Input<string>; address: pulumi.Input<string>; id?: pulumi.Input<string> },
  dependsOn: pulumi.Resource[] = [],
): ClusterServices {
  return new ClusterServices(
    "services",
    {
      stack: context.stack,
      hostNames: HOST_NAMES[context.stack].map((name) => `${name}.${context.site.domain}`),
      piholeUrl: context.site.piholeUrl,
      vaultAddress: vault.address,
      kvMount: vault.mount,
      vaultId: vault.id,
      endpoint: cluster.endpoint,
      ca: cluster.ca,
      kubeconfig: cluster.kubeconfig,
      ownEntries: context.secrets.own(),
      vaultPath: context.secrets.vaultPath,
      sharedSecrets: context.config.sharedSecrets ? context.secrets.keysBelow(SHARED_ENTRIES) : undefined,
    },
    cluster.provider,
    vault.provider,
    { dependsOn },
  );
}

/** @throws HomelabError E_VAULT_TOKEN where tools was built before the stack was defined */
function tokenOf(tokens: Readonly<Record<string, string>>, stack: string): string {
  const token = tokens[stack];
  if (token === undefined)
    throw new HomelabError("E_VAULT_TOKEN", `the stack tools has made no token of Vault for "${stack}"`, {
      subject: stack,
      hint: "`homelab up tools` makes it",
    });
  return token;
}

/** An environment as it stands before its applications. */
export interface Environment {
  cluster: KubernetesCluster;
  certManager: CertManager;
  services: ClusterServices;
  vms: Map<string, Vm>;
}

/** Every environment but tools: its VMs, its cluster on one of them, and the platform, with what tools gives. */
export function buildEnvironment(context: StackContext<"tools">, vmName: string): Environment {
  const upstream: Outputs<"tools"> = context.upstream.tools;
  const vms = buildVms(context, proxmoxProvider(context), (node) =>
    upstream.templateIds.apply(
      known((ids) => {
        const id = ids[node];
        if (id === undefined) throw new HomelabError("E_TEMPLATE", `tools has no template on ${node}`, { subject: node, hint: "build the stack tools first" });
        return id;
      }),
    ),
  );
  const cluster = buildCluster(context, vms, vmName);
  const certManager = buildCertManager(context, cluster);
  const token = pulumi.secret(upstream.vaultTokens.apply(known((tokens) => tokenOf(tokens, context.stack))));
  const provider = new VaultProvider("vault", { address: upstream.vaultAddress, token, skipChildToken: true });
  const services = buildClusterServices(context, cluster, { provider, mount: KV_MOUNT, address: upstream.vaultAddress, id: upstream.vaultId });
  return { vms, cluster, certManager, services };
}
