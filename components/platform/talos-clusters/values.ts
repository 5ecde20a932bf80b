/**
 * Clusters of Talos on Proxmox by Cluster API: the objects of each. Pure. The host role `cluster-api` (`homelab:clusterApi`) installs its
 * providers, with the credentials of Proxmox: core v1beta2 (Cluster API 1.11 and newer; v1beta1 of the original is served until 1.16),
 * Proxmox v1alpha1 (0.7), Talos v1alpha3 (0.5 and 0.6).
 */
import { createHash } from "node:crypto";
import type { TalosCluster } from "./options";

export const CLUSTERS_NAMESPACE = "clusters";
const API_PORT = 6443;
const CORE = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io/v1alpha1";
const CONTROL_PLANE = "controlplane.cluster.x-k8s.io/v1alpha3";
const BOOTSTRAP = "bootstrap.cluster.x-k8s.io/v1alpha3";
const WAIT = { "pulumi.com/waitFor": "condition=Available" };

type Machines = TalosCluster["workers"];

/** Templates cannot be changed. Other content gets another name, and Cluster API replaces the machines one by one. */
const marked = (name: string, spec: unknown): string => `${name}-${createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 8)}`;

const machineSpec = ({ node, templateId, bridge }: TalosCluster, { cores, memoryMiB, diskGiB }: Machines) => ({
  template: {
    spec: {
      sourceNode: node,
      templateID: templateId,
      format: "qcow2",
      full: true,
      numSockets: 1,
      numCores: cores,
      memoryMiB,
      disks: { bootVolume: { disk: "scsi0", sizeGb: diskGiB } },
      network: { default: { bridge, model: "virtio" } },
      // Talos has no cloud-init, and its published image has no guest agent.
      checks: { skipCloudInitStatus: true, skipQemuGuestAgent: true },
      metadataSettings: { providerIDInjection: true },
    },
  },
});

/** The address that the control planes share: one of them has it at a time, by an election in etcd. */
const sharedAddress = (endpoint: string): string =>
  JSON.stringify({ machine: { network: { interfaces: [{ deviceSelector: { physical: true }, vip: { ip: endpoint } }] } } });

/** Cluster API finds the version of a provider's kind itself, and looks in the object's own namespace. */
const reference = (apiVersion: string, kind: string, name: string) => ({ apiGroup: apiVersion.split("/")[0], kind, name });

/** @typeParam S text, or an output of one */
export function talosCluster<S>(name: string, cluster: TalosCluster, namespace: S) {
  const metadata = (own: string) => ({ name: own, namespace });
  const controlPlaneMachines = machineSpec(cluster, cluster.controlPlanes);
  const workerMachines = machineSpec(cluster, cluster.workers);
  const workerConfig = { template: { spec: { generateType: "worker", talosVersion: cluster.talos } } };
  const names = {
    controlPlane: `${name}-control-plane`,
    controlPlaneMachines: marked(`${name}-control-plane`, controlPlaneMachines),
    workerMachines: marked(`${name}-worker`, workerMachines),
    workerConfig: marked(`${name}-worker`, workerConfig),
  };
  const template = (kind: string, apiVersion: string, own: string, spec: object) => ({ apiVersion, kind, metadata: metadata(own), spec });
  return {
    /** Made before the cluster, which refers to them. */
    parts: [
      template("ProxmoxMachineTemplate", INFRASTRUCTURE, names.controlPlaneMachines, controlPlaneMachines),
      template("ProxmoxMachineTemplate", INFRASTRUCTURE, names.workerMachines, workerMachines),
      template("TalosConfigTemplate", BOOTSTRAP, names.workerConfig, workerConfig),
      template("ProxmoxCluster", INFRASTRUCTURE, name, {
        controlPlaneEndpoint: { host: cluster.endpoint, port: API_PORT },
        ipv4Config: { addresses: cluster.addresses, prefix: cluster.prefix, gateway: cluster.gateway },
        dnsServers: cluster.dnsServers,
        allowedNodes: [cluster.node],
      }),
      template("TalosControlPlane", CONTROL_PLANE, names.controlPlane, {
        version: cluster.kubernetes,
        replicas: cluster.controlPlanes.count,
        infrastructureTemplate: { apiVersion: INFRASTRUCTURE, kind: "ProxmoxMachineTemplate", name: names.controlPlaneMachines, namespace },
        controlPlaneConfig: {
          controlplane: { generateType: "controlplane", talosVersion: cluster.talos, strategicPatches: [sharedAddress(cluster.endpoint)] },
        },
      }),
    ],
    cluster: {
      apiVersion: CORE,
      kind: "Cluster",
      metadata: { ...metadata(name), annotations: WAIT },
      spec: {
        clusterNetwork: { pods: { cidrBlocks: [cluster.podCidr] }, services: { cidrBlocks: [cluster.serviceCidr] } },
        infrastructureRef: reference(INFRASTRUCTURE, "ProxmoxCluster", name),
        controlPlaneRef: reference(CONTROL_PLANE, "TalosControlPlane", names.controlPlane),
      },
    },
    /** Deleted before the cluster. */
    workers: {
      apiVersion: CORE,
      kind: "MachineDeployment",
      metadata: metadata(`${name}-workers`),
      spec: {
        clusterName: name,
        replicas: cluster.workers.count,
        selector: { matchLabels: {} },
        template: {
          spec: {
            clusterName: name,
            version: cluster.kubernetes,
            bootstrap: { configRef: reference(BOOTSTRAP, "TalosConfigTemplate", names.workerConfig) },
            infrastructureRef: reference(INFRASTRUCTURE, "ProxmoxMachineTemplate", names.workerMachines),
          },
        },
      },
    },
  };
}
