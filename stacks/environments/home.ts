import { WebApp } from "../../components/apps/web-app";
import type { StackProgram } from "../program";
import { buildEnvironment, hostOutputs } from "./cluster";

/** The version of the original system. Only the part of Immich that needs no database: the rest comes with Postgres and Redis. */
const IMMICH_ML_IMAGE = "ghcr.io/immich-app/immich-machine-learning:v1.119.0";

/** What the family uses. */
export const home: StackProgram<"home", "tools" | "observability"> = (context) => {
  const { cluster, certManager, vms } = buildEnvironment(context, "k8s-home");
  new WebApp(
    "immich-machine-learning",
    {
      image: IMMICH_ML_IMAGE,
      ports: [{ name: "http", port: 3003 }],
      healthPath: "/ping",
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: context.upstream.observability.otlpEndpoint, TRANSFORMERS_CACHE: "/cache" },
      writable: ["/cache"],
      resources: { cpu: "500m", memory: "1Gi", memoryLimit: "4Gi" },
      ingressClass: context.config.ingressClass,
      issuer: certManager.issuer,
    },
    cluster.provider,
  );
  return { kubeconfig: cluster.kubeconfig, clusterEndpoint: cluster.endpoint, ...hostOutputs(context, vms), urls: {} };
};
