import { z } from "zod";

export const metricsServerOptions = z.strictObject({
  kubeletTls: z
    .enum(["self-signed", "cluster"])
    .default("self-signed")
    .describe(
      "Who signs the kubelets' certificates: each its own, as kubeadm has it, or the cluster's authority (`serverTLSBootstrap`), which is then checked",
    ),
});

export type MetricsServerOptions = z.output<typeof metricsServerOptions>;
