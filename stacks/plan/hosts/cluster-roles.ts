/** Roles of the hosts of a stack's cluster: k3s, or kubeadm with the nodes that join. */
import {
  ADMIN_KUBECONFIG,
  base,
  clusterApi,
  combineRoles,
  k3sServer,
  kubeadmAdmission,
  kubeadmCluster,
  kubeadmJoin,
  kubeadmNode,
  longhornPrep,
  usbStorage,
} from "../../../ansible-replacements";
import { HomelabError } from "../../../common/errors";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import { VM_FOLDER } from "../../load/owners";
import type { StackConfig } from "../../load/settings";
import { inStore, PROXMOX_SECRET, PROXMOX_TOKEN_ID } from "../secret-paths";
import { clusterVmOf, defined, KUBERNETES_PORT, type PlannedRole, proxyAddress, type RoleRequest } from "./planned-role";

const FIRST_NODE_SECRETS = {
  KUBEADM_TOKEN: inStore("KUBEADM", "KUBEADM_TOKEN"),
  KUBEADM_CERTIFICATE_KEY: inStore("KUBEADM", "KUBEADM_CERTIFICATE_KEY"),
};

const endpointOf = ({ cloudInit }: VmSpec): string => `${cloudInit.ipv4.address}:${KUBERNETES_PORT}`;
const versionOf = ({ version }: { version?: string | undefined }): { version?: string } => (version === undefined ? {} : { version });

/** The device of a disk, which udev names by its slot: stable whatever else is attached. */
function passedThroughDevice(stack: string, { name, passthrough }: VmSpec): string {
  const [disk] = passthrough;
  if (disk === undefined)
    throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${stack}.yaml: homelab:usbStorage: the VM ${name} has no disk of its host`, {
      subject: name,
      hint: `add nested_disks.scsi.scsi1.passthrough to ${VM_FOLDER}/${name}.yaml, or take the setting out`,
    });
  return `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-${disk.interface}`;
}

/** The host of a cluster, in one session: its disk, what its storage needs, k3s or the first node of kubeadm. */
function clusterNode(request: RoleRequest, spec: VmSpec): PlannedRole {
  const { stack, config, site } = request;
  const { usbStorage: usb, longhorn, kubeadm, localStoragePath } = config;
  const { address } = spec.cloudInit.ipv4;
  const proxy = proxyAddress(request);
  // Clients reach the clusters at the load balancer's address too, so the certificate must contain it.
  const alternativeNames = proxy === undefined ? [] : [proxy];
  const host = [
    base,
    ...(usb === undefined ? [] : [usbStorage({ device: passedThroughDevice(stack.name, spec), path: usb.path, directories: usb.directories })]),
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
      makesCluster: true,
    };
  const { nodes: _joining, cilium, ...versions } = kubeadm;
  const cluster = kubeadmCluster({
    ...defined(versions),
    cilium: defined(cilium),
    name: spec.name,
    clusterName: stack.name,
    address,
    endpoint: endpointOf(spec),
    lan: site.subnet,
    alternativeNames,
  });
  return { role: combineRoles("kubeadm-first", ...host, kubeadmNode(versionOf(kubeadm)), cluster), secrets: FIRST_NODE_SECRETS, makesCluster: true };
}

/** The VMs that join the stack's cluster, and as what each joins. */
export const joiningNodes = ({ kubeadm }: StackConfig): ReadonlyMap<string, "control-plane" | "worker"> => new Map(Object.entries(kubeadm?.nodes ?? {}));

/** A further node of the stack's cluster. */
export function joiningNode({ config, stack, vms }: RoleRequest, { name, cloudInit }: VmSpec, kind: "control-plane" | "worker"): PlannedRole {
  const firstName = clusterVmOf(stack);
  const first = vms.get(firstName);
  if (first === undefined) throw new HomelabError("E_VM_UNKNOWN", `the stack ${stack.name} has no VM ${firstName}`, { subject: firstName });
  const join = kubeadmJoin({ name, address: cloudInit.ipv4.address, endpoint: endpointOf(first), kind });
  return {
    role: combineRoles("kubeadm-node", base, kubeadmNode(versionOf(config.kubeadm ?? {})), join),
    secrets: {
      KUBEADM_TOKEN: FIRST_NODE_SECRETS.KUBEADM_TOKEN,
      KUBEADM_CA_HASH: { fact: "cluster-authority-hash" },
      ...(kind === "worker" ? {} : { KUBEADM_CERTIFICATE_KEY: FIRST_NODE_SECRETS.KUBEADM_CERTIFICATE_KEY }),
    },
    admission: { vm: first.name, role: kubeadmAdmission(), secrets: FIRST_NODE_SECRETS },
  };
}

/** The roles of the cluster's VM, in the order in which they are applied. */
export function clusterRoles(request: RoleRequest, spec: VmSpec): PlannedRole[] {
  const { clusterApi: capi, kubeadm } = request.config;
  const node = clusterNode(request, spec);
  if (capi === undefined) return [node];
  return [
    node,
    {
      role: clusterApi({ ...capi, ...(kubeadm === undefined ? {} : { kubeconfig: ADMIN_KUBECONFIG, kubectl: `kubectl --kubeconfig ${ADMIN_KUBECONFIG}` }) }),
      secrets: {
        PROXMOX_URL: { value: request.site.proxmoxEndpoint.replace(/\/$/, "") },
        PROXMOX_TOKEN: PROXMOX_TOKEN_ID,
        PROXMOX_SECRET,
      },
    },
  ];
}
