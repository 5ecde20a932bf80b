import { defineApp } from "../../stacks/define/app";

/** Where traces of all environments go: OTLP in, pages out, all in one process, with traces in memory. */
export const jaeger = defineApp({
  // The last release of the 1.x line.
  image: "docker.io/jaegertracing/all-in-one:1.65.0",
  ports: [
    { name: "query", port: 16686, host: "jaeger", url: "jaeger" },
    { name: "otlp-http", port: 4318, host: "otel-collector", url: "otel-collector" },
  ],
  probes: { ready: "/", live: "port", port: 14269 },
  environment: { COLLECTOR_OTLP_ENABLED: "true", MEMORY_MAX_TRACES: "50000" },
  resources: { cpu: "200m", memory: "512Mi", memoryLimit: "2Gi" },
  runAsUser: 10001,
  // OTLP over HTTP, where applications send traces.
  outputs: { otlpEndpoint: { url: "otlp-http" } },
});
