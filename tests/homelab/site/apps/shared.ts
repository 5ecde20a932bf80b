/** What several applications have in common. */
import { site } from "../site";

/** The log level of each environment. */
export const LOG_LEVEL = { dev: "DEBUG", stg: "DEBUG", prod: "INFO" } as const;

/** The prefix of the host names of each environment. */
export const PREFIX = { dev: "dev.", stg: "stg.", prod: "" } as const;

const entry = (name: string): string => `cluster-secret-store/secrets/${name}`;
/** A value of secrets/common/cluster-secret-store/secrets. */
export const secretOf = (name: string, key: string) => ({ secret: { path: entry(name), key } }) as const;

/** The collector of traces. */
export const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.box.svc:4318" } as const;
export const toCollector = { direction: "out", peer: "box", port: 4318, why: "traces, which the box sends on" } as const;

/** The server of messages, and the user of NATS that sends and receives them. */
export const nats = { NATS_URL: `nats://nats.${site.domain}:4222`, NATS_USER: "apps", NATS_PASSWORD: secretOf("NATS", "NATS_PASSWORD") } as const;
/** The server of values in memory, by the protocol of Redis. */
export const redis = { REDIS_ADDR: `redis.${site.domain}:6379`, REDIS_USER: "apps", REDIS_PASSWORD: secretOf("REDIS", "REDIS_PASSWORD") } as const;

export const toNats = { direction: "out", peer: "homelab", port: 4222, why: "messages, by NATS" } as const;
export const toRedis = { direction: "out", peer: "homelab", port: 6379, why: "values in memory, by Valkey" } as const;

/** The user of the services' images (images/). */
export const USER = 1001;
