import type { StackProgram } from "../program";
import { asciiFrontend } from "./ascii-frontend";
import { buildEnvironment, hostOutputs } from "./cluster";

/** Runs the image that dev ran. */
export const stg: StackProgram<"stg", "tools" | "observability" | "dev"> = (context) => {
  const environment = buildEnvironment(context, "k8s-stg");
  const app = asciiFrontend(context, environment, {
    image: context.config.appImage ?? context.upstream.dev.appImage,
    host: `stg.ascii.${context.site.domain}`,
  });
  return {
    kubeconfig: environment.cluster.kubeconfig,
    clusterEndpoint: environment.cluster.endpoint,
    ...hostOutputs(context, environment.vms),
    urls: { ascii: app.url("http") },
    appImage: app.image,
  };
};
