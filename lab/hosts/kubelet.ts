/** What a cluster of kubeadm is on its hosts, and what the kubelet of its first node brings up. */
import { createHash, X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { startCluster } from "./cluster";
import { log, type Machine } from "./machine";

/** What the cluster's etcd holds beside the API's objects: on the disk of its first node. */
const STATE = "/var/lib/etcd/lab-cluster.json";
const ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf";
export const KUBELET = "kubelet.service";

const stateSchema = z.object({
  clusterName: z.string(),
  version: z.string(),
  /** `<address or name>:6443` under which all reach the API. */
  endpoint: z.string(),
  /** Of the public key of the cluster's authority; empty until it is there. */
  caHash: z.string(),
  /** Token to the end of its life, milliseconds since the epoch. */
  tokens: z.record(z.string(), z.number()),
  certificateKey: z.string().optional(),
  nodes: z.array(z.string()),
  cilium: z.string().optional(),
});
export type KubeadmState = z.infer<typeof stateSchema>;

/** Parts of k3s that a cluster of kubeadm does not have. */
const NOT_THERE = ["traefik", "servicelb", "local-storage", "metrics-server"];

/** @returns undefined where the host is not the first node of a cluster */
export async function readState(machine: Machine): Promise<KubeadmState | undefined> {
  const text = await machine.disk.read(STATE);
  return text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
}

export const writeState = (machine: Machine, state: KubeadmState): Promise<void> => machine.disk.install(STATE, JSON.stringify(state), 0o600);

const kubeconfigSchema = z.object({ clusters: z.tuple([z.object({ cluster: z.object({ "certificate-authority-data": z.string() }) })]) });

function authorityOf(kubeconfig: string): string {
  const { clusters } = kubeconfigSchema.parse(parse(kubeconfig));
  return Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64").toString("utf8");
}

/** The kubelet of a cluster's first node runs the API as a static pod; that of any other node brings nothing up. */
export async function startKubelet(machine: Machine): Promise<void> {
  const { disk, ctx, clusterState } = machine;
  const state = await readState(machine);
  if (state === undefined) return;
  await ctx.clock.sleep(ctx.latency.of("k3s.start"));
  await startCluster(machine, {
    name: state.nodes[0] ?? machine.hostname,
    disabled: NOT_THERE,
    version: state.version,
    ...(clusterState === undefined ? {} : { state: clusterState }),
  });
  const kubeconfig = machine.cluster?.adminKubeconfig({ server: `https://${state.endpoint}`, name: state.clusterName }) ?? "";
  if ((await disk.read(ADMIN_KUBECONFIG)) !== kubeconfig) await disk.install(ADMIN_KUBECONFIG, kubeconfig, 0o600);
  const authority = authorityOf(kubeconfig);
  if (state.caHash === "") {
    await disk.install("/etc/kubernetes/pki/ca.crt", authority);
    const key = new X509Certificate(authority).publicKey.export({ type: "spki", format: "der" });
    await writeState(machine, { ...state, caHash: `sha256:${createHash("sha256").update(key).digest("hex")}` });
  }
  log(machine, KUBELET, "Node became ready");
}
