/** Values of the chart vault 0.29. The route is ours (WebIngress), not the chart's. */
export function vaultValues(storageClass: string): Record<string, unknown> {
  return {
    // Secrets reach pods by External Secrets.
    injector: { enabled: false },
    ui: { enabled: true },
    server: {
      standalone: { enabled: true },
      dataStorage: { enabled: true, size: "10Gi", storageClass },
      auditStorage: { enabled: true, size: "10Gi", storageClass },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      ingress: { enabled: false },
    },
  };
}
