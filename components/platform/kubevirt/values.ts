/** KubeVirt: its operator as published, and the `KubeVirt` object that the operator acts on. */
import type { PinnedFile } from "../../base/manifest-files";

const VERSION = "v1.9.0";

/** Asset of the release v1.9.0, tested with Kubernetes 1.34 to 1.36. */
export const KUBEVIRT_OPERATOR: PinnedFile = {
  url: `https://github.com/kubevirt/kubevirt/releases/download/${VERSION}/kubevirt-operator.yaml`,
  sha256: "f11307caafc3c23ffedf9887d8beb5a4419e2694da242fa68f63d1ec820de2e0",
};

/** The namespace in the published manifest: its rights and its webhooks name it. */
export const KUBEVIRT_NAMESPACE = "kubevirt";
export const KUBEVIRT_API = "kubevirt.io/v1";
/** Ports of the proxy for downloads of volumes: of its pods, and of its balancer. */
export const EXPORT_PORT = 8443;
export const EXPORT_BALANCER_PORT = 8444;

/** @param emulation run virtual machines without KVM */
export const kubevirtSpec = ({ emulation }: { readonly emulation: boolean }) => ({
  // Its removal is refused while there are virtual machines.
  uninstallStrategy: "BlockUninstallIfWorkloadsExist",
  imagePullPolicy: "IfNotPresent",
  // One of each: there is one node.
  infra: { replicas: 1 },
  configuration: {
    developerConfiguration: { featureGates: ["Snapshot", "VMExport"], ...(emulation ? { useEmulation: true } : {}) },
  },
});
