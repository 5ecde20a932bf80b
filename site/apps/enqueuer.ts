import { defineApplication } from "../../stacks/define/application";
import { LOG_LEVEL, nats, PREFIX, toCollector, toNats, traces, USER } from "./shared";

/** Takes a word, looks for a picture of it, and puts it into the queue of the environment. */
export const enqueuer = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "enqueuer", url: "enqueuer" }],
    // `/health` answers 503 while NATS is down. As a liveness probe it would restart every replica.
    probes: { ready: "/readyz", live: "/livez" },
    environment: { ...nats, ...traces },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
    // Chromium's profile and its shared memory.
    writable: ["/tmp"],
    runAsUser: USER,
    serviceAccount: {},
    flows: [
      toCollector,
      toNats,
      { direction: "out", peer: "https://www.google.com", port: 443, why: "pictures, found by Google" },
      { direction: "out", peer: "https://www.bing.com", port: 443, why: "pictures, found by Bing where Google has none" },
    ],
  },
  {
    dev: { hostPrefix: PREFIX.dev, config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev }, rollout: { maxSurge: "100%", maxUnavailable: "50%" } },
    stg: { hostPrefix: PREFIX.stg, config: { ENV: "stg", LOG_LEVEL: LOG_LEVEL.stg } },
    prod: { hostPrefix: PREFIX.prod, config: { ENV: "prod", LOG_LEVEL: LOG_LEVEL.prod } },
  },
);
