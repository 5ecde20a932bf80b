import { MONITORING_NAMESPACE } from "../kube-prometheus-stack/values";
import { defineModule } from "../module";
import { routeClasses } from "../place";
import { jaegerOptions } from "./options";
import { JAEGER_CHART, JAEGER_NAMESPACE, JAEGER_RELEASE, jaegerValues, QUERY_PORT } from "./values";

export const jaeger = defineModule({
  name: "jaeger",
  summary: "traces of all environments, kept for some days, at jaeger.<domain> and in Grafana. They come by the collector, which asks for a password",
  charts: { [JAEGER_RELEASE]: JAEGER_CHART },
  options: jaegerOptions,
  provides: ["trace-store"],
  exceptions: [{ rule: "liveness-apart", workload: "jaeger", why: "what it depends on is a volume of its own" }],
  parts: ({ storageClass: own, size, retentionDays }, { domain, storageClass, routes }) => ({
    namespaces: [JAEGER_NAMESPACE],
    // Its Grafana shows the traces.
    needs: ["kube-prometheus-stack", "certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: routeClasses({ routes }),
    hosts: [{ name: `jaeger.${domain}`, serves: "Jaeger", route: "ingress" }],
    flows: [
      { direction: "in", peer: "routes", port: QUERY_PORT, why: "its pages" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: QUERY_PORT, why: "Grafana asks for traces" },
    ],
    workloads: [{ name: "jaeger", cpu: "100m", memory: "512Mi" }],
    volumes: [{ name: "traces", size, disposable: true }],
    values: { [JAEGER_RELEASE]: jaegerValues({ retentionDays }) },
  }),
  build: () => (require("./jaeger") as typeof import("./jaeger")).buildJaeger,
});
