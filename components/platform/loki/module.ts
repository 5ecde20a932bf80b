import { MONITORING_NAMESPACE } from "../kube-prometheus-stack/values";
import { defineModule } from "../module";
import { lokiOptions } from "./options";
import { LOKI_CHART, LOKI_NAMESPACE, LOKI_PORT, LOKI_RELEASE, lokiValues } from "./values";

export const loki = defineModule({
  name: "loki",
  summary:
    "logs of all environments, kept for some days. It has no login and so no host name: Grafana shows them, and they come by the collector, which asks for a password",
  charts: { [LOKI_RELEASE]: LOKI_CHART },
  options: lokiOptions,
  provides: ["log-store"],
  parts: ({ storageClass: own, size, retentionDays }, { storageClass }) => ({
    namespaces: [LOKI_NAMESPACE],
    // Its Grafana shows the logs.
    needs: ["kube-prometheus-stack"],
    storageClasses: [own ?? storageClass],
    flows: [
      { direction: "in", peer: MONITORING_NAMESPACE, port: LOKI_PORT, why: "Grafana asks for logs, and Prometheus measures it" },
      { direction: "in", peer: LOKI_NAMESPACE, port: 7946, why: "its ring, of one" },
    ],
    workloads: [{ name: "loki", cpu: "100m", memory: "256Mi" }],
    volumes: [{ name: "logs", size, disposable: true }],
    values: { [LOKI_RELEASE]: lokiValues({ storageClass: own ?? storageClass, size, retentionDays }) },
  }),
  build: () => (require("./loki") as typeof import("./loki")).buildLoki,
});
