import { defineModule } from "../module";
import { metricsServerOptions } from "./options";
import { METRICS_SERVER_CHART, METRICS_SERVER_NAMESPACE, metricsServerValues } from "./values";

export const metricsServer = defineModule({
  name: "metrics-server",
  summary: "what pods and machines use right now, for `kubectl top` and for autoscaling; k3s brings its own, kubeadm does not",
  charts: { "metrics-server": METRICS_SERVER_CHART },
  options: metricsServerOptions,
  brings: ["metrics"],
  parts: (options) => ({
    namespaces: [METRICS_SERVER_NAMESPACE],
    needs: ["certificates"],
    flows: [
      { direction: "in", peer: "cluster", port: 10250, why: "the API hands questions about metrics on" },
      { direction: "out", peer: "cluster", port: 6443, why: "asks the API who is who" },
      { direction: "out", peer: "cluster", port: 10250, why: "asks kubelets" },
    ],
    values: { "metrics-server": metricsServerValues(options) },
  }),
  build: () => (require("./metrics-server") as typeof import("./metrics-server")).buildMetricsServer,
});
