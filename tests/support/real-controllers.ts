/**
 * Controllers of a cluster as processes beside a real Kubernetes API: Vault, External Secrets, external-dns, Argo CD, istiod. The kinds of
 * each are in the API before it starts. `stop` ends each by its id, and fails if one has ended by itself.
 *
 *     const cluster = await startRealKubernetes(…);
 *     const controllers = await startRealControllers(cluster, { vault: {}, externalSecrets: {} });
 *     …
 *     await controllers.stop();
 *     await cluster.stop();
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type ArgocdOptions, type RealArgocd, startArgocd } from "./real-argocd";
import { type RealIstiod, startIstiod } from "./real-istiod";
import { addKinds } from "./real-kinds";
import type { RealKubernetes } from "./real-kubernetes";
import { realPartFile, realPartPath } from "./real-parts";
import { onFreePorts, type RealProcess, startProcess, stopAll, untilReady } from "./real-process";
import { type RealVault, type RealVaultOptions, startRealVault } from "./real-vault";

export interface ControllerOptions {
  /** Environment beside PATH and HOME: a proxy, a certificate authority, a password. */
  env?: Readonly<Record<string, string>>;
}

export interface ControllersOptions {
  vault?: RealVaultOptions;
  externalSecrets?: ControllerOptions;
  externalDns?: ControllerOptions & {
    /** Its flags, without those for the cluster's address and for its metrics. */
    args: readonly string[];
  };
  argocd?: ArgocdOptions;
  istiod?: ControllerOptions;
}

/** The controllers that were asked for. */
export interface RealControllers {
  vault?: RealVault;
  externalSecrets?: RealProcess;
  externalDns?: RealProcess;
  argocd?: RealArgocd;
  istiod?: RealIstiod;
  /** Ends all that still run, each by its id. @throws if one had ended by itself */
  stop(): Promise<void>;
}

const answers = async (url: string): Promise<boolean> => (await fetch(url)).ok;

/** Starts the operator with its kinds, without webhooks, which would need a certificate in the cluster. */
async function startExternalSecrets(cluster: RealKubernetes, folder: string, { env }: ControllerOptions): Promise<RealProcess> {
  await addKinds(cluster, realPartFile("external-secrets", "deploy/crds/bundle.yaml"));
  return onFreePorts(1, async ([metrics]) => {
    const args = [`--metrics-addr=127.0.0.1:${metrics}`];
    const options = { folder, env: { ...env, KUBECONFIG: cluster.kubeconfigFile } };
    const server = await startProcess("external-secrets", realPartPath("external-secrets"), args, options);
    await untilReady(server, "it serves its metrics", () => answers(`http://127.0.0.1:${metrics}/metrics`));
    return server;
  });
}

async function startExternalDns(cluster: RealKubernetes, folder: string, { env, args }: NonNullable<ControllersOptions["externalDns"]>): Promise<RealProcess> {
  return onFreePorts(1, async ([metrics]) => {
    const all = [...args, `--kubeconfig=${cluster.kubeconfigFile}`, `--metrics-address=127.0.0.1:${metrics}`];
    const server = await startProcess("external-dns", realPartPath("external-dns"), all, { folder, ...(env === undefined ? {} : { env }) });
    await untilReady(server, "it is healthy", () => answers(`http://127.0.0.1:${metrics}/healthz`));
    return server;
  });
}

/** @param cluster the cluster of the controllers; Vault does not use it */
export async function startRealControllers(cluster: RealKubernetes, options: ControllersOptions): Promise<RealControllers> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-controllers-"));
  const processes: RealProcess[] = [];
  let vault: RealVault | undefined;
  const stop = async () => {
    try {
      await stopAll(processes.splice(0));
    } finally {
      await vault?.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };
  const added = (server: RealProcess): RealProcess => {
    processes.push(server);
    return server;
  };
  try {
    if (options.vault !== undefined) vault = await startRealVault(realPartPath("vault"), options.vault);
    const externalSecrets = options.externalSecrets && added(await startExternalSecrets(cluster, folder, options.externalSecrets));
    const externalDns = options.externalDns && added(await startExternalDns(cluster, folder, options.externalDns));
    const argocd = options.argocd && (await startArgocd(cluster, folder, options.argocd, added));
    const istiod = options.istiod && (await startIstiod(cluster, folder, options.istiod, added));
    return {
      stop,
      ...(argocd === undefined ? {} : { argocd }),
      ...(istiod === undefined ? {} : { istiod }),
      ...(vault === undefined ? {} : { vault }),
      ...(externalSecrets === undefined ? {} : { externalSecrets }),
      ...(externalDns === undefined ? {} : { externalDns }),
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
