import { defineApplication } from "../../../../stacks/define/application";
import { LOG_LEVEL, PREFIX, toCollector, traces, USER } from "./shared";

/** Searches web pages with offers of flats, by a headless browser. */
export const realstateScrapper = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "realstate-scrapper", url: "realstate-scrapper" }],
    probes: { ready: "/readyz", live: "/livez" },
    environment: traces,
    resources: { cpu: "100m", memory: "256Mi", memoryLimit: "512Mi", cpuLimit: "500m" },
    writable: ["/tmp"],
    runAsUser: USER,
    serviceAccount: {},
    flows: [toCollector, { direction: "out", peer: "https://www.google.com", port: 443, why: "pages with offers, anywhere on the internet" }],
  },
  {
    dev: { hostPrefix: PREFIX.dev, config: { ENV: "dev", LOG_LEVEL: LOG_LEVEL.dev }, rollout: { maxSurge: "100%", maxUnavailable: "50%" } },
    stg: { hostPrefix: PREFIX.stg, config: { ENV: "stg", LOG_LEVEL: LOG_LEVEL.stg } },
    prod: { hostPrefix: PREFIX.prod, config: { ENV: "prod", LOG_LEVEL: LOG_LEVEL.prod } },
  },
);
