/** Two ways to install a chart: the `helm` executable, or, in the lab and without one, the lab's stand-in for the chart. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ENV, readEnv } from "../../../common/env";
import { HomelabError } from "../../../common/errors";
import type { JsonObject } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { HelmCommand } from "./helm-command";
import { StandIn } from "./stand-in";

/** Where charts come from, and as whom they are fetched. */
export interface Repository {
  /** URL. */
  repo?: string;
  username?: string;
  password?: string;
  /** Files of the machine. */
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

export interface ReleaseSpec {
  name: string;
  namespace: string;
  chart: string;
  version: string | undefined;
  repository: Repository;
  values: JsonObject;
  createNamespace: boolean;
  skipAwait: boolean;
  skipCrds: boolean;
  atomic: boolean;
  cleanupOnFail: boolean;
  waitForJobs: boolean;
  dependencyUpdate: boolean;
  description: string | undefined;
  devel: boolean;
  disableOpenapiValidation: boolean;
  /** Hooks of the chart are not run. */
  disableWebhooks: boolean;
  forceUpdate: boolean;
  keyring: string | undefined;
  /** Revisions that are kept; undefined: helm's default (10). 0: all. */
  maxHistory: number | undefined;
  renderSubchartNotes: boolean;
  resetValues: boolean;
  reuseValues: boolean;
  takeOwnership: boolean;
  verify: boolean;
  /** Seconds. */
  timeout: number;
}

export type ReleaseName = Pick<ReleaseSpec, "name" | "namespace" | "timeout">;

/** Installs, upgrades and removes releases. */
export interface Installer {
  apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void>;
  remove(spec: ReleaseName, signal: AbortSignal): Promise<void>;
}

function helmExecutable(): string | undefined {
  return (readEnv("PATH") ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "helm"))
    .find((file) => (fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o111);
}

/** @throws HomelabError where there is neither helm nor a lab */
export function chooseInstaller(client: KubernetesClient, kubeconfig: string): Installer {
  // First: the lab has no chart repositories for a real helm to read, and a newcomer's machine may well have one installed.
  const standIn = readEnv(ENV.chartStandIn);
  if (standIn !== undefined) return new StandIn(standIn, client);
  const helm = helmExecutable();
  if (helm !== undefined) return new HelmCommand(helm, kubeconfig);
  throw new HomelabError("E_NO_HELM", "no helm executable is on PATH", {
    hint: "install helm 3, or the official Kubernetes plugin; without helm, charts can be installed in the lab only",
  });
}
