import type { App } from "../../stacks/define/app";

/** The pages of the ASCII demo: nginx with static files, which find their API by the host name that they are opened under. */
export const asciiFrontend = <const I extends App["image"]>(host: string, image: I) =>
  ({
    image,
    ports: [{ name: "http", port: 80, host, url: "ascii" }],
    replicas: { setting: "appReplicas" },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
  }) as const;
