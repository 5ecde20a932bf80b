import { defineApplication } from "../../stacks/define/application";
import { PREFIX } from "./shared";

/** The pages of the ASCII demo: nginx with static files, which find their API by the host name that they are opened under. */
export const asciiFrontend = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "ascii", url: "ascii" }],
    probes: { ready: "/", live: "port" },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi", cpuLimit: "200m" },
    // nginx's caches and its process id.
    writable: ["/tmp"],
    // nginx of the image nginxinc/nginx-unprivileged.
    runAsUser: 101,
    serviceAccount: {},
  },
  {
    dev: { hostPrefix: PREFIX.dev },
    stg: { hostPrefix: PREFIX.stg },
    prod: { hostPrefix: PREFIX.prod, replicas: { setting: "appReplicas" } },
  },
);
