import { HomelabError } from "../../common/errors";
import type { StackProgram } from "../program";
import { asciiFrontend } from "./ascii-frontend";
import { buildEnvironment, hostOutputs } from "./cluster";

/** Applications as they are developed. The image is set here; stg and prod take it from one another. */
export const dev: StackProgram<"dev", "tools" | "observability"> = (context) => {
  const { appImage } = context.config;
  if (appImage === undefined) {
    throw new HomelabError("E_CONFIG_VALUE", "Pulumi.dev.yaml: homelab:appImage is missing", {
      subject: "Pulumi.dev.yaml",
      hint: "name the image that dev runs",
    });
  }
  const environment = buildEnvironment(context, "k8s-dev");
  const app = asciiFrontend(context, environment, { image: appImage, host: `dev.ascii.${context.site.domain}` });
  return {
    kubeconfig: environment.cluster.kubeconfig,
    clusterEndpoint: environment.cluster.endpoint,
    ...hostOutputs(context, environment.vms),
    urls: { ascii: app.url("http") },
    appImage: app.image,
  };
};
