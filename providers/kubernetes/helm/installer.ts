import { ENV, readEnv } from "../../../common/env";
import { HomelabError } from "../../../common/errors";
import { findOnPath } from "../../../common/executables";
import type { KubernetesClient } from "../client";
import { HelmCommand } from "./helm-command";
import type { Installer } from "./release-spec";
import { StandIn } from "./stand-in";

/** @throws HomelabError where there is neither helm nor a lab */
export function chooseInstaller(client: KubernetesClient, kubeconfig: string): Installer {
  // First: the lab has no chart repositories for a real helm to read, and a newcomer's machine may well have one installed.
  const standIn = readEnv(ENV.chartStandIn);
  if (standIn !== undefined) return new StandIn(standIn, client);
  const helm = findOnPath("helm");
  if (helm !== undefined) return new HelmCommand(helm, kubeconfig);
  throw new HomelabError("E_NO_HELM", "no helm executable is on PATH", {
    hint: "install helm 3, or the official Kubernetes plugin; without helm, charts can be installed in the lab only",
  });
}
