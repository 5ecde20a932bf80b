import { defineApp } from "../../../../stacks/define/app";

/** Answers each request with the request itself: enough to see that a cluster's routes work. */
export const whoami = defineApp({
  image: "docker.io/traefik/whoami:v1.10.3",
  ports: [{ name: "http", port: 8080, host: "whoami", withoutIngress: "skip", url: "whoami" }],
  probes: { ready: "/health", live: "port" },
  environment: { WHOAMI_PORT_NUMBER: "8080", OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.box.svc:4318" },
  flows: [{ direction: "out", peer: "box", port: 4318, why: "traces, which the box sends on" }],
  resources: { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" },
  runAsUser: 65534,
});
