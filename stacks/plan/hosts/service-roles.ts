/** Roles of the hosts that serve all stacks: name server, load balancer, Teleport, boot server. */
import { base, bootServer, combineRoles, haproxy, pihole, teleport } from "../../../ansible-replacements";
import { HomelabError } from "../../../common/errors";
import { nearest } from "../../../common/nearest";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import type { VmDuty } from "../../define/stacks";
import { VM_FOLDER } from "../../load/owners";
import { CLOUDFLARE_TOKEN, inStore } from "../secret-paths";
import { addressOf, clusterVmOf, defined, KUBERNETES_PORT, type PlannedRole, type RoleRequest } from "./planned-role";

/** Settings for one VM, with its duty. */
const SETTINGS = { dns: "dns", haproxy: "haproxy", teleport: "teleport", bootServer: "boot-server" } as const satisfies Record<string, VmDuty>;
type ServiceSetting = keyof typeof SETTINGS;

/** A fixed record for Vault's name. external-dns cannot write it first, because it gets its own password from Vault. */
function fixedNames({ stacks, vms, site }: RoleRequest): Record<string, string> {
  const withVault = stacks.find(({ platform }) => platform.vault !== undefined);
  const address = withVault === undefined ? undefined : addressOf(vms, clusterVmOf(withVault));
  return address === undefined ? {} : { [new URL(site.vaultAddress).hostname]: address };
}

/** @throws HomelabError E_CONFIG_VALUE for an unknown stack */
function frontendNode({ stack: own, stacks, vms }: RoleRequest, stack: string): { name: string; address: string } {
  const names = stacks.map(({ name }) => name);
  const found = stacks.find(({ name }) => name === stack);
  if (found === undefined) {
    const meant = nearest(stack, names);
    throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${own.name}.yaml: homelab:haproxy.frontends.${stack}: there is no stack "${stack}"`, {
      subject: `Pulumi.${own.name}.yaml`,
      hint: meant === undefined ? `the stacks are: ${names.join(", ")}` : `did you mean "${meant}"?`,
    });
  }
  const name = clusterVmOf(found);
  const address = addressOf(vms, name);
  if (address === undefined) throw new HomelabError("E_VM_UNKNOWN", `haproxy: the stack ${stack} has no VM ${name}`, { subject: name });
  return { name, address };
}

const SERVICES: Readonly<Record<ServiceSetting, (request: RoleRequest, spec: VmSpec) => PlannedRole[]>> = {
  dns: (request) => {
    const { dns } = request.config;
    if (dns === undefined) return [];
    const role = pihole(defined({ ...dns, hosts: { ...fixedNames(request), ...dns.hosts } }));
    return [{ role: combineRoles("dns", base, role), secrets: { PIHOLE_PASSWORD: inStore("EXTERNAL_DNS_PIHOLE_PASSWORD", "PIHOLE_PASSWORD") } }];
  },
  haproxy: (request) => {
    const { haproxy: settings } = request.config;
    if (settings === undefined) return [];
    const clusters = Object.entries(settings.frontends).map(([stack, frontendPort]) => ({
      name: stack,
      frontendPort,
      backendPort: KUBERNETES_PORT,
      nodes: [frontendNode(request, stack)],
    }));
    const { stats } = settings;
    const role = haproxy({ clusters, ...(stats === undefined ? {} : { stats: defined(stats) }) });
    return [{ role: combineRoles("haproxy", base, role), secrets: { HAPROXY_STATS_PASSWORD: inStore("HAPROXY", "HAPROXY_STATS_PASSWORD") } }];
  },
  teleport: ({ config, site }) => {
    if (config.teleport === undefined) return [];
    const { domain = `teleport.${site.domain}`, postgres, version, ...rest } = config.teleport;
    const role = teleport({ ...rest, domain, acmeEmail: config.acmeEmail, postgres: defined(postgres), ...(version === undefined ? {} : { version }) });
    const secrets = {
      CLOUDFLARE_API_TOKEN: CLOUDFLARE_TOKEN,
      TELEPORT_POSTGRES_PASSWORD: inStore("POSTGRES", "POSTGRES_PASSWORD"),
      AWS_ACCESS_KEY_ID: inStore("AWS_ACCESS_KEY_ID"),
      AWS_SECRET_ACCESS_KEY: inStore("AWS_SECRET_ACCESS_KEY"),
    };
    return [{ role: combineRoles("teleport", base, role), secrets }];
  },
  bootServer: ({ config, site }, { cloudInit }) => {
    if (config.bootServer === undefined) return [];
    const { iso, assistant, answer } = config.bootServer;
    const role = bootServer({ address: cloudInit.ipv4.address, network: site.subnet, iso, assistant, answer: { ...answer, sshKeys: site.operatorKeys } });
    return [{ role: combineRoles("boot-server", base, role), secrets: { PVE_ROOT_PASSWORD_HASH: inStore("PVE_ROOT_PASSWORD_HASH") } }];
  },
};

/** The roles of a VM with such a duty; none without its setting. */
export function serviceRoles(request: RoleRequest, spec: VmSpec, duty: VmDuty): PlannedRole[] {
  const setting = (Object.keys(SETTINGS) as ServiceSetting[]).find((key) => SETTINGS[key] === duty);
  return setting === undefined ? [] : SERVICES[setting](request, spec);
}

/** @throws HomelabError for a setting whose VM the stack does not own, or which is off */
export function checkServiceSettings({ stack, config, stacks, vms }: RoleRequest): void {
  const file = `Pulumi.${stack.name}.yaml`;
  for (const setting of Object.keys(SETTINGS) as ServiceSetting[]) {
    if (config[setting] === undefined) continue;
    const duty = SETTINGS[setting];
    const vm = [...stack.duties].find(([, other]) => other === duty)?.[0];
    if (vm === undefined) {
      const owner = stacks.find(({ duties }) => [...duties.values()].includes(duty));
      throw new HomelabError("E_CONFIG_VALUE", `${file}: homelab:${setting} is about the VM with the duty "${duty}", which is no VM of this stack`, {
        subject: file,
        hint: owner === undefined ? "give a VM the duty in site/stacks.ts" : `move it to the settings of the stack that owns the VM: ${owner.name}`,
      });
    }
    if (vms.get(vm)?.running === false)
      throw new HomelabError("E_HOST_OFF", `${file}: homelab:${setting} is set, and the VM ${vm} is off`, {
        subject: vm,
        hint: `take vm_state out of ${VM_FOLDER}/${vm}.yaml, or the setting out of the stack`,
      });
  }
}
