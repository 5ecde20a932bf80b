/** Security contexts of node-exporter, which its chart does not set. All charts that contain it get the same. */
export const NODE_EXPORTER_RIGHTS = {
  securityContext: { runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534, seccompProfile: { type: "RuntimeDefault" } },
  containerSecurityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
} as const;
