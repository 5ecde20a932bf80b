/** A real Kubernetes API: kube-apiserver and etcd on 127.0.0.1, without nodes, and without controllers unless a test asks for them. */
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Agent } from "undici";
import { stringify } from "yaml";
import { createAuthority } from "../../lab/core/tls";
import { onFreePorts, type RealProcess, startProcess, stopAll, untilReady } from "./real-process";

/** Controllers for tokens in Secrets and for deletions of namespaces and owned objects. Pods of StatefulSets stay pending, since there is no kubelet. */
const CONTROLLERS = [
  ...["serviceaccount-controller", "serviceaccount-token-controller", "namespace-controller", "garbage-collector-controller"],
  // Writes the revision of a StatefulSet's template, which a release waits for after a change.
  "statefulset-controller",
];

export interface RealKubernetes {
  origin: string;
  /** The certificate of its authority, PEM. */
  ca: string;
  /** Connects as a member of `system:masters`. */
  admin: Agent;
  anonymous: Agent;
  kubeconfig: string;
  /** {@link kubeconfig} as a file. */
  kubeconfigFile: string;
  /** Process ids, by name. */
  pids: Readonly<Record<string, number>>;
  /** One request as the administrator. @returns the answer's JSON @throws for a status that is neither 2xx nor in `allowed` */
  call(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: object, options?: CallOptions): Promise<unknown>;
  /** Ends each process by its id. @throws if one has ended by itself */
  stop(): Promise<void>;
}

export interface CallOptions {
  contentType?: string;
  /** Other statuses that do not throw. */
  allowed?: readonly number[];
}

export interface KubernetesPrograms {
  apiserver: string;
  etcd: string;
  /** The part "kube-controller-manager": {@link CONTROLLERS} run. */
  controllerManager?: string;
  /** Controllers of it that run too. */
  alsoRuns?: readonly string[];
  /** The part "kwok": it plays the kubelet of each node, so that pods on nodes start, end and go. */
  kwok?: string;
}

/** @param programs paths of the parts "kube-apiserver", "etcd" and, optionally, "kube-controller-manager" */
export function startRealKubernetes(programs: KubernetesPrograms): Promise<RealKubernetes> {
  return onFreePorts(3, (ports) => startOn(programs, ports as [number, number, number]));
}

async function startOn(programs: KubernetesPrograms, [etcdPort, peerPort, apiPort]: [number, number, number]): Promise<RealKubernetes> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-kubernetes-"));
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const authority = await createAuthority("kubernetes");
  const serving = await authority.issue(["127.0.0.1", "localhost"]);
  const admin = await authority.issueClient("admin", ["system:masters"]);
  const signing = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signingKey = write("sa.key", signing.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const authorityFile = write("ca.crt", authority.caPem);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const origin = `https://127.0.0.1:${apiPort}`;
  const agents = {
    admin: new Agent({ connect: { ca: authority.caPem, cert: admin.cert, key: admin.key } }),
    anonymous: new Agent({ connect: { ca: authority.caPem } }),
  };
  const encode = (pem: string) => Buffer.from(pem).toString("base64");
  const kubeconfig = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "real", cluster: { server: origin, "certificate-authority-data": encode(authority.caPem) } }],
    users: [{ name: "admin", user: { "client-certificate-data": encode(admin.cert), "client-key-data": encode(admin.key) } }],
    contexts: [{ name: "real", context: { cluster: "real", user: "admin" } }],
    "current-context": "real",
  });
  const kubeconfigFile = write("kubeconfig", kubeconfig);
  const call = caller(origin, agents.admin);

  const processes: RealProcess[] = [];
  const start = async (name: string, program: string, args: string[]): Promise<RealProcess> => {
    const started = await startProcess(name, program, args, { folder });
    processes.push(started);
    return started;
  };
  const stop = async () => {
    await Promise.all([agents.admin.destroy(), agents.anonymous.destroy()]);
    try {
      await stopAll(processes);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };
  try {
    await start("etcd", programs.etcd, [
      ...["--data-dir", path.join(folder, "etcd"), "--unsafe-no-fsync"],
      ...["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--initial-cluster", `default=${peerUrl}`],
    ]);
    const apiserver = await start("kube-apiserver", programs.apiserver, [
      `--etcd-servers=${etcdUrl}`,
      ...["--bind-address=127.0.0.1", `--secure-port=${apiPort}`, "--advertise-address=192.0.2.2", "--endpoint-reconciler-type=none"],
      ...[`--client-ca-file=${authorityFile}`, "--authorization-mode=RBAC"],
      ...[`--tls-cert-file=${write("tls.crt", serving.cert)}`, `--tls-private-key-file=${write("tls.key", serving.key)}`],
      ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${signingKey}`],
      ...[`--service-account-signing-key-file=${signingKey}`, "--service-cluster-ip-range=10.43.0.0/16"],
      "--disable-admission-plugins=ServiceAccount",
    ]);
    await untilReady(apiserver, "the API is ready", async () => {
      for (const one of processes) one.check();
      const { statusCode, body } = await agents.admin.request({ origin, path: "/readyz", method: "GET" });
      await body.dump();
      return statusCode === 200;
    });
    if (programs.controllerManager !== undefined) {
      await start("kube-controller-manager", programs.controllerManager, [
        ...[
          `--kubeconfig=${kubeconfigFile}`,
          "--leader-elect=false",
          "--secure-port=0",
          `--controllers=${[...CONTROLLERS, ...(programs.alsoRuns ?? [])].join(",")}`,
        ],
        ...[`--service-account-private-key-file=${signingKey}`, `--root-ca-file=${authorityFile}`],
      ]);
    }
    if (programs.kwok !== undefined) await start("kwok", programs.kwok, ["--kubeconfig", kubeconfigFile, "--manage-all-nodes=true"]);
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  const pids = Object.fromEntries(processes.map(({ name, pid }) => [name, pid]));
  return { origin, ca: authority.caPem, ...agents, kubeconfig, kubeconfigFile, pids, call, stop };
}

const caller =
  (origin: string, dispatcher: Agent): RealKubernetes["call"] =>
  async (method, route, body, { contentType = "application/json", allowed = [] } = {}) => {
    const answer = await dispatcher.request({
      ...{ origin, path: route, method },
      ...(body === undefined ? {} : { headers: { "content-type": contentType }, body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300 && !allowed.includes(answer.statusCode)) throw new Error(`${method} ${route}: ${answer.statusCode} ${text.slice(0, 1000)}`);
    return text === "" ? {} : JSON.parse(text);
  };
