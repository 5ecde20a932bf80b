/** Rights of node-exporter, which its chart leaves to the cluster: the same in each chart that brings it. */
export const NODE_EXPORTER_RIGHTS = {
  securityContext: { runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534, seccompProfile: { type: "RuntimeDefault" } },
  containerSecurityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
} as const;
