import { defineApplication } from "../../../../stacks/define/application";
import { site } from "../site";
import { LOG_LEVEL, PREFIX, USER } from "./shared";

const api = (prefix: string): string => `https://${prefix}api.cks.${site.domain}`;

/** The pages of the sessions, by Next.js. */
export const cksFrontend = defineApplication(
  {
    ports: [{ name: "http", port: 3000, host: "cks", url: "cks" }],
    probes: { ready: "/", live: "port" },
    config: { LOG_FORMAT: "json" },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi", cpuLimit: "200m" },
    // The cache of rendered pages.
    writable: ["/app/.next/cache"],
    runAsUser: USER,
    serviceAccount: {},
  },
  {
    dev: { hostPrefix: PREFIX.dev, config: { ENVIRONMENT: "dev", LOG_LEVEL: LOG_LEVEL.dev, API_BASE_URL: api(PREFIX.dev) } },
    stg: { hostPrefix: PREFIX.stg, config: { ENVIRONMENT: "stg", LOG_LEVEL: LOG_LEVEL.stg, API_BASE_URL: api(PREFIX.stg) } },
    prod: {
      hostPrefix: PREFIX.prod,
      config: { ENVIRONMENT: "prod", LOG_LEVEL: LOG_LEVEL.prod, API_BASE_URL: api(PREFIX.prod) },
      replicas: { setting: "appReplicas" },
    },
  },
);
