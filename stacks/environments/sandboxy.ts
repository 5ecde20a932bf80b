import { WebApp } from "../../components/apps/web-app";
import type { StackProgram } from "../program";
import { buildEnvironment, hostOutputs } from "./cluster";

/** Answers each request with what it was: enough to see that a cluster's routes work. */
const WHOAMI_IMAGE = "docker.io/traefik/whoami:v1.10.3";

/** The cluster for experiments. */
export const sandboxy: StackProgram<"sandboxy", "tools" | "observability"> = (context) => {
  const { cluster, certManager, vms } = buildEnvironment(context, "k8s-sandbox-01");
  // kubeadm brings nothing that serves routes.
  const hasRoutes = context.config.kubeadm === undefined;
  const whoami = new WebApp(
    "whoami",
    {
      image: WHOAMI_IMAGE,
      ports: [{ name: "http", port: 8080, ...(hasRoutes ? { host: `whoami.${context.site.domain}` } : {}) }],
      healthPath: "/health",
      environment: { WHOAMI_PORT_NUMBER: "8080", OTEL_EXPORTER_OTLP_ENDPOINT: context.upstream.observability.otlpEndpoint },
      resources: { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" },
      runAsUser: 65534,
      ingressClass: context.config.ingressClass,
      issuer: certManager.issuer,
    },
    cluster.provider,
  );
  return {
    kubeconfig: cluster.kubeconfig,
    clusterEndpoint: cluster.endpoint,
    ...hostOutputs(context, vms),
    urls: hasRoutes ? { whoami: whoami.url("http") } : {},
  };
};
