import type { StackProgram } from "../program";
import { asciiFrontend } from "./ascii-frontend";
import { buildEnvironment, hostOutputs } from "./cluster";

/** Runs the image that stg ran. */
export const prod: StackProgram<"prod", "tools" | "observability" | "stg"> = (context) => {
  const environment = buildEnvironment(context, "k8s-prod");
  const app = asciiFrontend(context, environment, { image: context.config.appImage ?? context.upstream.stg.appImage, host: `ascii.${context.site.domain}` });
  return {
    kubeconfig: environment.cluster.kubeconfig,
    clusterEndpoint: environment.cluster.endpoint,
    ...hostOutputs(context, environment.vms),
    urls: { ascii: app.url("http") },
  };
};
