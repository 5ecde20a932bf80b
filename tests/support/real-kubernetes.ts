/** A real Kubernetes API: kube-apiserver and etcd on 127.0.0.1, without controllers and nodes. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Agent } from "undici";
import { stringify } from "yaml";
import { systemErrorCode } from "../../common/errors";
import { createAuthority } from "../../lab/core/tls";
import { takePort } from "./ports";

const START_LIMIT_MS = 120_000;

export interface RealKubernetes {
  origin: string;
  /** Its authority, PEM. */
  ca: string;
  /** Connects as a member of `system:masters`. */
  admin: Agent;
  anonymous: Agent;
  kubeconfig: string;
  stop(): Promise<void>;
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

/** @param programs paths of the parts "kube-apiserver" and "etcd" */
export async function startRealKubernetes(programs: { apiserver: string; etcd: string }): Promise<RealKubernetes> {
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
  const [etcdPort, peerPort, apiPort] = [await takePort(), await takePort(), await takePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;

  const log = fs.openSync(path.join(folder, "log"), "w");
  const start = (program: string, args: string[]) => spawn(program, args, { stdio: ["ignore", log, log], cwd: folder });
  const etcd = start(programs.etcd, [
    ...["--data-dir", path.join(folder, "etcd"), "--unsafe-no-fsync"],
    ...["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
    ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--initial-cluster", `default=${peerUrl}`],
  ]);
  const apiserver = start(programs.apiserver, [
    `--etcd-servers=${etcdUrl}`,
    ...["--bind-address=127.0.0.1", `--secure-port=${apiPort}`, "--advertise-address=192.0.2.2", "--endpoint-reconciler-type=none"],
    ...[`--client-ca-file=${write("ca.crt", authority.caPem)}`, "--authorization-mode=RBAC"],
    ...[`--tls-cert-file=${write("tls.crt", serving.cert)}`, `--tls-private-key-file=${write("tls.key", serving.key)}`],
    ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${signingKey}`],
    ...[`--service-account-signing-key-file=${signingKey}`, "--service-cluster-ip-range=10.43.0.0/16"],
    "--disable-admission-plugins=ServiceAccount",
  ]);
  const origin = `https://127.0.0.1:${apiPort}`;
  const agents = {
    admin: new Agent({ connect: { ca: authority.caPem, cert: admin.cert, key: admin.key } }),
    anonymous: new Agent({ connect: { ca: authority.caPem } }),
  };
  const stop = async () => {
    await Promise.all([agents.admin.destroy(), agents.anonymous.destroy(), end(apiserver)]);
    await end(etcd);
    fs.closeSync(log);
    fs.rmSync(folder, { recursive: true });
  };
  try {
    await untilReady(origin, agents.admin, () => {
      const dead = [etcd, apiserver].find((child) => child.exitCode !== null);
      if (dead) throw new Error(`${dead.spawnfile} ended: ${fs.readFileSync(path.join(folder, "log"), "utf8").slice(-2000)}`);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const encode = (pem: string) => Buffer.from(pem).toString("base64");
  const kubeconfig = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "real", cluster: { server: origin, "certificate-authority-data": encode(authority.caPem) } }],
    users: [{ name: "admin", user: { "client-certificate-data": encode(admin.cert), "client-key-data": encode(admin.key) } }],
    contexts: [{ name: "real", context: { cluster: "real", user: "admin" } }],
    "current-context": "real",
  });
  return { origin, ca: authority.caPem, ...agents, kubeconfig, stop };
}

async function untilReady(origin: string, dispatcher: Agent, check: () => void): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    check();
    try {
      const { statusCode, body } = await dispatcher.request({ origin, path: "/readyz", method: "GET" });
      await body.dump();
      if (statusCode === 200) return;
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
    if (Date.now() > deadline) throw new Error("the Kubernetes API is not ready");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
