import { WebApp } from "../../components/apps/web-app";
import type { StackProgram } from "../program";
import { buildEnvironment, hostOutputs } from "./cluster";

/** Jaeger all in one process, with traces in memory. Pinned: the last release of the 1.x line that the original's CR means. */
const JAEGER_IMAGE = "docker.io/jaegertracing/all-in-one:1.65.0";

/** Where traces of all environments go: OTLP in, Jaeger's pages out. */
export const observability: StackProgram<"observability", "tools"> = (context) => {
  const { cluster, certManager, vms } = buildEnvironment(context, "k8s-observability");
  const jaeger = new WebApp(
    "jaeger",
    {
      image: JAEGER_IMAGE,
      ports: [
        { name: "query", port: 16686, host: `jaeger.${context.site.domain}` },
        { name: "otlp-http", port: 4318, host: `otel-collector.${context.site.domain}` },
      ],
      healthPort: 14269,
      environment: { COLLECTOR_OTLP_ENABLED: "true", MEMORY_MAX_TRACES: "50000" },
      resources: { cpu: "200m", memory: "512Mi", memoryLimit: "2Gi" },
      runAsUser: 10001,
      ingressClass: context.config.ingressClass,
      issuer: certManager.issuer,
    },
    cluster.provider,
  );
  const otlp = jaeger.url("otlp-http");
  return {
    kubeconfig: cluster.kubeconfig,
    clusterEndpoint: cluster.endpoint,
    ...hostOutputs(context, vms),
    urls: { jaeger: jaeger.url("query"), "otel-collector": otlp },
    otlpEndpoint: otlp,
  };
};
