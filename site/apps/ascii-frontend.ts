import { defineApplication } from "../../stacks/define/application";
import { PREFIX } from "./shared";

/** The pages of the ASCII demo: nginx with static files. In the browser they find their API by the host name of the page. */
export const asciiFrontend = defineApplication(
  {
    ports: [{ name: "http", port: 8080, servicePort: 80, host: "ascii", url: "ascii" }],
    probes: { ready: "/", live: "port" },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi", cpuLimit: "200m" },
    // nginx's caches and its file with the process id.
    writable: ["/tmp"],
    // The user of nginx in the image nginxinc/nginx-unprivileged.
    runAsUser: 101,
    serviceAccount: {},
  },
  {
    dev: { hostPrefix: PREFIX.dev },
    stg: { hostPrefix: PREFIX.stg },
    prod: { hostPrefix: PREFIX.prod, replicas: { setting: "appReplicas" } },
  },
);
