/** The project's own demo (images/demo): it stores words and finds similar ones. It is small enough to run everywhere: in dev, in the lab and in tests. */
import { defineApplication } from "../../stacks/define/application";
import { site } from "../site";
import { LOG_LEVEL, nats, PREFIX, redis, secretOf, toCollector, toNats, toRedis, traces, USER } from "./shared";

const METRICS = { name: "metrics", port: 9090 } as const;
const resources = { cpu: "20m", memory: "32Mi", memoryLimit: "128Mi" } as const;
const probes = { ready: "/readyz", live: "/livez" } as const;

/** Its page and its API: sends a word to the worker, and shows similar words. */
export const demoWeb = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "demo", url: "demo" }, METRICS],
    probes,
    environment: { ...nats, ...redis, ...traces },
    resources,
    runAsUser: USER,
    serviceAccount: {},
    flows: [toCollector, toNats, toRedis, { direction: "out", peer: "demo-web", port: 8080, why: "the smoke test, which sends a word and reads it back" }],
    hooks: { smoke: { when: "after", command: ["/app", "smoke", "http://demo-web"], timeoutSeconds: 120 } },
  },
  { dev: { hostPrefix: PREFIX.dev, config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev } } },
);

/** Takes words from the queue, writes them into Postgres, finds similar words, and keeps both in memory for a day. */
export const demoWorker = defineApplication(
  {
    ports: [{ name: "http", port: 8080 }, METRICS],
    probes,
    environment: { ...nats, ...redis, ...traces },
    config: { DB_USER: "apps", DB_NAME: "apps", DB_PORT: "5432", DB_SSLMODE: "require" },
    resources,
    runAsUser: USER,
    serviceAccount: {},
    flows: [toCollector, toNats, toRedis, { direction: "out", peer: "homelab", port: 5432, why: "words and their vectors, in Postgres" }],
    hooks: { migrate: { when: "before", command: ["/app", "migrate"], timeoutSeconds: 120 } },
  },
  {
    dev: {
      hostPrefix: PREFIX.dev,
      environment: { DB_PASSWORD: secretOf("POSTGRES_DEV", "POSTGRES_DEV_PASSWORD") },
      config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev, DB_HOST: `dev.postgres.${site.domain}` },
    },
  },
);
