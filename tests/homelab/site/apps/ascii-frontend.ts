import type { App } from "../../../../stacks/define/app";

/** The pages of the ASCII demo: nginx with static files, which find their API by the host name that they are opened under. */
export const asciiFrontend = <const I extends App["image"]>(host: string, image: I) =>
  ({
    image,
    ports: [{ name: "http", port: 80, host, url: "ascii" }],
    probes: { ready: "/", live: "port" },
    replicas: { setting: "appReplicas" },
    exceptions: [
      { rule: "non-root", why: "the image's nginx begins as root, and listens on port 80" },
      { rule: "capabilities", why: "it gives up its rights itself" },
      { rule: "read-only-root", why: "it writes its caches and its process id" },
    ],
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
  }) as const;
