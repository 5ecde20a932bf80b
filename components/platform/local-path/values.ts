/** Values of the chart local-path-provisioner. */
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { LocalPathOptions } from "./options";

export const LOCAL_PATH_CHART = {
  repository: "oci://ghcr.io/rancher/local-path-provisioner/charts",
  name: "local-path-provisioner",
  version: "0.0.37",
  kubeVersion: ">=1.12.0-r0",
  why: "from 0.0.34 on no claim reaches a folder outside its own",
} as const satisfies ChartPin;

export const LOCAL_PATH_NAMESPACE = "local-path-storage";
export const LOCAL_PATH_CLASS = "local-path";
export const LOCAL_PATH_RESOURCES = { cpu: "10m", memory: "32Mi" } as const;

export function localPathValues({ folder }: LocalPathOptions) {
  return {
    // The default class, as in k3s.
    storageClass: { name: LOCAL_PATH_CLASS, defaultClass: true, provisionerName: "rancher.io/local-path" },
    nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: [folder] }],
    // Pinned: the chart would take the newest image.
    helperImage: { repository: "docker.io/library/busybox", tag: "1.37.0" },
    resources: sized(LOCAL_PATH_RESOURCES.cpu, LOCAL_PATH_RESOURCES.memory, "128Mi"),
    podSecurityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
  };
}
