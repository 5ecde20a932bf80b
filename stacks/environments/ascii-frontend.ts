import type * as pulumi from "@pulumi/pulumi";
import { WebApp } from "../../components/apps/web-app";
import type { StackContext } from "../program";
import type { Environment } from "./cluster";

/** The pages of the ASCII demo: nginx with static files, which find their API by the host name that they are opened under. */
export function asciiFrontend(context: StackContext<never>, environment: Environment, args: { image: pulumi.Input<string>; host: string }): WebApp {
  return new WebApp(
    "ascii-frontend",
    {
      image: args.image,
      ports: [{ name: "http", port: 80, host: args.host }],
      replicas: context.config.appReplicas,
      resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
      ingressClass: context.config.ingressClass,
      issuer: environment.certManager.issuer,
    },
    environment.cluster.provider,
  );
}
