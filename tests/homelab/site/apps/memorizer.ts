import { defineApplication } from "../../../../stacks/define/application";
import { LOG_LEVEL, nats, PREFIX, redis, toCollector, toNats, toRedis, traces, USER } from "./shared";

/** Takes pictures from the queue, converts them to text, and keeps that for a day. */
export const memorizer = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "memorizer", url: "memorizer" }],
    probes: { ready: "/readyz", live: "/livez" },
    environment: { ...nats, ...redis, ...traces },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
    writable: ["/tmp"],
    runAsUser: USER,
    serviceAccount: {},
    flows: [toCollector, toNats, toRedis, { direction: "out", peer: "https://www.google.com", port: 443, why: "pictures lie anywhere on the internet" }],
  },
  {
    dev: {
      hostPrefix: PREFIX.dev,
      config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev, QUEUE_NAMES: "queue-dev" },
      rollout: { maxSurge: "100%", maxUnavailable: "50%" },
    },
    stg: { hostPrefix: PREFIX.stg, config: { ENV: "stg", LOG_LEVEL: LOG_LEVEL.stg, QUEUE_NAMES: "queue-stg" } },
    prod: { hostPrefix: PREFIX.prod, config: { ENV: "prod", LOG_LEVEL: LOG_LEVEL.prod, QUEUE_NAMES: "queue-prod" } },
  },
);
