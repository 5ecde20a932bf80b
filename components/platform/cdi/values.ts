/** The containerized data importer: its operator as published, and the `CDI` object that the operator acts on. */
import type { PinnedFile } from "../../base/manifest-files";

const VERSION = "v1.66.0";

/** Asset of the release v1.66.0. */
export const CDI_OPERATOR: PinnedFile = {
  url: `https://github.com/kubevirt/containerized-data-importer/releases/download/${VERSION}/cdi-operator.yaml`,
  sha256: "f81f2730f3404649196e9777b67a3c69fd6ea5d9eb60775dfd97ac90d2edf8e7",
};

/** The namespace in the published manifest. */
export const CDI_NAMESPACE = "cdi";
export const CDI_API = "cdi.kubevirt.io/v1beta1";
/** Ports of the upload proxy: of its pods, and of its balancer. */
export const UPLOAD_PORT = 8443;
export const UPLOAD_BALANCER_PORT = 8443;

/** Share of a volume that its file system needs for itself. */
const OVERHEAD = "0.055";

/** `spec` of the `CDI` object. @param host full name of the upload proxy. @param longhorn whether the cluster has volumes of Longhorn */
export const cdiSpec = (host: string, longhorn: boolean) => ({
  uninstallStrategy: "BlockUninstallIfWorkloadsExist",
  imagePullPolicy: "IfNotPresent",
  config: {
    featureGates: ["HonorWaitForFirstConsumer"],
    filesystemOverhead: { global: OVERHEAD, ...(longhorn ? { storageClass: { longhorn: OVERHEAD } } : {}) },
    uploadProxyURLOverride: `https://${host}:${UPLOAD_BALANCER_PORT}`,
  },
  infra: { nodeSelector: { "kubernetes.io/os": "linux" }, tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }] },
  workload: { nodeSelector: { "kubernetes.io/os": "linux" } },
});
