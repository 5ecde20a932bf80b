import { storePath } from "../../../common/vault-layout";
import { JAEGER_NAMESPACE, OTLP_HTTP_PORT as JAEGER_PORT } from "../jaeger/values";
import { MONITORING_NAMESPACE, PROMETHEUS_PORT } from "../kube-prometheus-stack/values";
import { LOKI_NAMESPACE, LOKI_PORT } from "../loki/values";
import { defineModule } from "../module";
import { routeClasses } from "../place";
import { COLLECTOR_CHART, COLLECTOR_METRICS_PORT, OTLP_HTTP_PORT } from "./chart";
import { otelCollectorOptions } from "./options";
import { HUB_RELEASE, hubHost, hubValues, sendersSecret, TELEMETRY_NAMESPACE } from "./values";

export const otelCollector = defineModule({
  name: "otel-collector",
  summary:
    "the entry point for traces, logs and metrics of all environments, which it forwards to Jaeger, Loki and Prometheus: OTLP over HTTP at otel-collector.<domain>, with a password",
  charts: { [HUB_RELEASE]: COLLECTOR_CHART },
  options: otelCollectorOptions,
  example: { senders: { dev: { path: storePath("BOX"), key: "BOX_PASSWORD" } } },
  provides: ["telemetry-hub"],
  exceptions: [{ rule: "liveness-apart", workload: HUB_RELEASE, why: "its health check asks nothing of the stores" }],
  parts: (options, { domain, routes }) => ({
    namespaces: [TELEMETRY_NAMESPACE],
    needs: ["kube-prometheus-stack", "loki", "jaeger", "external-secrets", "cluster-access", "certificates"],
    cluster: ["ingress"],
    ingressClasses: routeClasses({ routes }),
    hosts: [{ name: hubHost(domain), serves: "OTLP over HTTP, for boxes", route: "ingress" }],
    namespaceSecrets: [{ namespace: TELEMETRY_NAMESPACE, wanted: [sendersSecret(options)] }],
    programSecrets: Object.values(options.senders).map(({ path, key }) => ({ path, key, why: "the pods restart when a password changes" })),
    flows: [
      { direction: "in", peer: "routes", port: OTLP_HTTP_PORT, why: "boxes send" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: COLLECTOR_METRICS_PORT, why: "Prometheus measures it" },
      { direction: "out", peer: JAEGER_NAMESPACE, port: JAEGER_PORT, why: "traces" },
      { direction: "out", peer: LOKI_NAMESPACE, port: LOKI_PORT, why: "logs" },
      { direction: "out", peer: MONITORING_NAMESPACE, port: PROMETHEUS_PORT, why: "metrics" },
    ],
    workloads: [{ name: "collector", replicas: options.replicas, cpu: "100m", memory: "256Mi" }],
    values: { [HUB_RELEASE]: hubValues(options, "<digest of the passwords>") },
  }),
  build: () => (require("./otel-collector") as typeof import("./otel-collector")).buildOtelCollector,
});
