/** Argo CD beside a real Kubernetes API: repo-server, application controller and, if asked for, the controller of ApplicationSets. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { addKinds } from "./real-kinds";
import type { RealKubernetes } from "./real-kubernetes";
import { realPartFile, realPartPath } from "./real-parts";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "./real-process";

export interface ArgocdOptions {
  /** Environment of the repo-server, beside PATH and HOME: a PATH with `helm`, a proxy, a certificate authority. */
  env?: Readonly<Record<string, string>>;
  /** Whether the controller of ApplicationSets runs too. */
  applicationSets?: boolean;
}

export interface RealArgocd {
  /** The namespace of Applications, ApplicationSets and projects. There is a project `default` that allows everything. */
  readonly namespace: string;
  /** The cluster's address, for `destination.server` of an Application. */
  readonly server: string;
  readonly repoServer: RealProcess;
  readonly applicationController: RealProcess;
  readonly applicationSetController?: RealProcess;
}

const NAMESPACE = "argocd";
const PART_OF = { "app.kubernetes.io/part-of": "argocd" };

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.string(), "certificate-authority-data": z.string() }) })]),
  users: z.tuple([z.object({ user: z.object({ "client-certificate-data": z.string(), "client-key-data": z.string() }) })]),
});

/** Creates what an installation's manifests have, as far as the controllers need it. `kubernetes.default.svc` does not resolve outside a cluster. */
async function prepare(cluster: RealKubernetes): Promise<void> {
  await addKinds(cluster, realPartFile("argocd", "manifests/crds"));
  const { clusters, users } = kubeconfigSchema.parse(parse(cluster.kubeconfig));
  const { server, "certificate-authority-data": caData } = clusters[0].cluster;
  const { "client-certificate-data": certData, "client-key-data": keyData } = users[0].user;
  const make = async (route: string, object: { metadata: { name: string; labels?: Record<string, string> }; [more: string]: unknown }) => {
    await cluster.call("POST", route, object, { allowed: [409] });
  };
  const core = `/api/v1/namespaces/${NAMESPACE}`;
  await make("/api/v1/namespaces", { metadata: { name: NAMESPACE } });
  for (const name of ["argocd-cm", "argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm", "argocd-gpg-keys-cm"]) {
    await make(`${core}/configmaps`, { metadata: { name, labels: PART_OF } });
  }
  await make(`${core}/secrets`, { metadata: { name: "argocd-secret", labels: PART_OF }, stringData: { "server.secretkey": "of a test" } });
  await make(`${core}/secrets`, {
    metadata: { name: "cluster-real", labels: { ...PART_OF, "argocd.argoproj.io/secret-type": "cluster" } },
    stringData: { name: "real", server, config: JSON.stringify({ tlsClientConfig: { caData, certData, keyData } }) },
  });
  const everything = { sourceRepos: ["*"], destinations: [{ namespace: "*", server: "*" }], clusterResourceWhitelist: [{ group: "*", kind: "*" }] };
  await make(`/apis/argoproj.io/v1alpha1/namespaces/${NAMESPACE}/appprojects`, {
    ...{ apiVersion: "argoproj.io/v1alpha1", kind: "AppProject", metadata: { name: "default" }, spec: everything },
  });
}

const answers = async (port: number, route: string): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}${route}`)).ok;

/** @param added is called with each process that has started */
export async function startArgocd(
  cluster: RealKubernetes,
  folder: string,
  options: ArgocdOptions,
  added: (server: RealProcess) => RealProcess,
): Promise<RealArgocd> {
  await prepare(cluster);
  // One program has all parts. The name of the link by which it is called decides which part runs.
  const programs = path.dirname(realPartPath("argocd"));
  const tmp = path.join(folder, "argocd-tmp");
  fs.mkdirSync(tmp);
  const env = {
    ...{ TMPDIR: tmp, ARGOCD_GPG_ENABLED: "false", ARGOCD_ASK_PASS_SOCK: path.join(folder, "askpass.sock") },
    // `https://kubernetes.default.svc` is then the cluster of the kubeconfig.
    ...{ ARGOCD_FAKE_IN_CLUSTER: "true", KUBECONFIG: cluster.kubeconfigFile },
  };
  const ownCluster = [`--kubeconfig=${cluster.kubeconfigFile}`, `--namespace=${NAMESPACE}`];

  const redis = await onFreePorts(1, async ([port]) => {
    const server = await startProcess("redis", realPartPath("redis-server"), ["--bind", "127.0.0.1", "--port", String(port), "--save", ""], { folder });
    await untilReady(server, "it accepts connections", async () => server.log().includes("Ready to accept connections"));
    added(server);
    return `127.0.0.1:${port}`;
  });
  const start = (name: string, ports: number, args: (ports: readonly number[]) => string[], more: Readonly<Record<string, string>> = {}, route = "/healthz") =>
    onFreePorts(ports, async (free) => {
      const server = await startProcess(`argocd-${name}`, path.join(programs, `argocd-${name}`), args(free), { folder, env: { ...env, ...more } });
      await untilReady(server, "it is healthy", () => answers(free[0] as number, route));
      return { server: added(server), ports: free };
    });
  const local = ["--address=127.0.0.1", "--metrics-address=127.0.0.1"];
  const repo = await start(
    "repo-server",
    2,
    ([metrics, port]) => [...local, `--metrics-port=${metrics}`, `--port=${port}`, `--redis=${redis}`, "--disable-tls"],
    options.env,
  );
  const repoServer = `127.0.0.1:${repo.ports[1]}`;
  const controller = await start("application-controller", 1, ([metrics]) => [
    ...[...ownCluster, `--metrics-port=${metrics}`, `--redis=${redis}`, `--repo-server=${repoServer}`, "--repo-server-plaintext"],
    "--self-heal-timeout-seconds=1",
  ]);
  const sets = options.applicationSets
    ? await start(
        "applicationset-controller",
        3,
        ([metrics, probe, webhook]) => [
          ...[...ownCluster, `--argocd-repo-server=${repoServer}`, "--repo-server-plaintext"],
          ...[`--probe-addr=127.0.0.1:${probe}`, `--metrics-addr=127.0.0.1:${metrics}`, `--webhook-addr=127.0.0.1:${webhook}`],
        ],
        {},
        // Its probe has no check and answers 404.
        "/metrics",
      )
    : undefined;
  return {
    namespace: NAMESPACE,
    server: cluster.origin,
    repoServer: repo.server,
    applicationController: controller.server,
    ...(sets === undefined ? {} : { applicationSetController: sets.server }),
  };
}
