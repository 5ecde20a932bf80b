import { defineApplication } from "../../stacks/define/application";
import { site } from "../site";
import { LOG_LEVEL, PREFIX, redis, secretOf, toCollector, toRedis, traces, USER } from "./shared";

/** Writes what the memorizer keeps into the environment's table in Postgres. */
export const writer = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "writer", url: "writer" }],
    probes: { ready: "/readyz", live: "/livez" },
    environment: { ...redis, ...traces },
    config: { DB_USER: "apps", DB_NAME: "apps", DB_PORT: "5432", DB_SSLMODE: "require" },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
    runAsUser: USER,
    serviceAccount: {},
    flows: [toCollector, toRedis, { direction: "out", peer: "homelab", port: 5432, why: "its table in Postgres" }],
  },
  {
    dev: {
      hostPrefix: PREFIX.dev,
      environment: { DB_PASSWORD: secretOf("POSTGRES_DEV", "POSTGRES_DEV_PASSWORD") },
      config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev, QUEUE_NAMES: "queue-dev", DB_HOST: `dev.postgres.${site.domain}` },
      rollout: { maxSurge: "100%", maxUnavailable: "50%" },
    },
    stg: {
      hostPrefix: PREFIX.stg,
      environment: { DB_PASSWORD: secretOf("POSTGRES", "POSTGRES_PASSWORD") },
      config: { ENV: "stg", LOG_LEVEL: LOG_LEVEL.stg, QUEUE_NAMES: "queue-stg", DB_HOST: `postgres.${site.domain}` },
    },
    prod: {
      hostPrefix: PREFIX.prod,
      environment: { DB_PASSWORD: secretOf("POSTGRES", "POSTGRES_PASSWORD") },
      config: { ENV: "prod", LOG_LEVEL: LOG_LEVEL.prod, QUEUE_NAMES: "queue-prod", DB_HOST: `postgres.${site.domain}` },
    },
  },
);
