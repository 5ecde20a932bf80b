import { defineModule, type Flow } from "../module";
import { kubevirtOptions } from "./options";
import { EXPORT_PORT, KUBEVIRT_NAMESPACE } from "./values";

const KINDS = [
  "kubevirts.kubevirt.io",
  "virtualmachines.kubevirt.io",
  "virtualmachineinstances.kubevirt.io",
  "virtualmachineinstancemigrations.kubevirt.io",
  "virtualmachineinstancereplicasets.kubevirt.io",
  "virtualmachinesnapshots.snapshot.kubevirt.io",
  "virtualmachinesnapshotcontents.snapshot.kubevirt.io",
  "virtualmachinerestores.snapshot.kubevirt.io",
  "virtualmachineexports.export.kubevirt.io",
  "virtualmachineinstancetypes.instancetype.kubevirt.io",
  "virtualmachineclusterinstancetypes.instancetype.kubevirt.io",
  "virtualmachinepreferences.instancetype.kubevirt.io",
  "virtualmachineclusterpreferences.instancetype.kubevirt.io",
];

const inside = (port: number, why: string, endPort?: number): Flow => ({
  direction: "in",
  peer: KUBEVIRT_NAMESPACE,
  port,
  ...(endPort === undefined ? {} : { endPort }),
  why,
});

export const kubevirt = defineModule({
  name: "kubevirt",
  summary: "virtual machines as objects of Kubernetes; it cannot be removed while one exists",
  options: kubevirtOptions,
  crds: KINDS,
  parts: ({ podCidr }, { domain }) => ({
    namespaces: [KUBEVIRT_NAMESPACE],
    // Its handler starts virtual machines on the node.
    podSecurity: { [KUBEVIRT_NAMESPACE]: "privileged" },
    unlimited: [KUBEVIRT_NAMESPACE],
    needs: ["volume-snapshots"],
    after: ["longhorn"],
    cluster: ["load-balancer"],
    hosts: [{ name: `kubevirt-exportproxy.${domain}`, serves: "volumes of virtual machines, for who has the export's token", route: "balancer" }],
    flows: [
      { direction: "in", peer: "homelab", port: EXPORT_PORT, why: "downloads of volumes, by its balancer" },
      { direction: "in", peer: "cluster", port: EXPORT_PORT, why: "the API asks the webhooks, and hands its calls on" },
      { direction: "out", peer: "cluster", port: 6443, why: "reads virtual machines, makes their pods" },
      { direction: "out", peer: podCidr, port: 8443, why: "the proxy fetches volumes from the pods that hand them out" },
      inside(8443, "its parts measure one another"),
      inside(8186, "the API reaches the handlers for consoles"),
      inside(49_152, "handlers move virtual machines between nodes", 49_215),
    ],
    workloads: [
      { name: "operator", replicas: 2, cpu: "10m", memory: "450Mi" },
      { name: "api", cpu: "5m", memory: "500Mi" },
      { name: "controller", cpu: "10m", memory: "275Mi" },
      { name: "handler", cpu: "10m", memory: "325Mi" },
      { name: "exportproxy", cpu: "100m", memory: "150Mi" },
    ],
  }),
  build: () => (require("./kubevirt") as typeof import("./kubevirt")).buildKubevirt,
});
