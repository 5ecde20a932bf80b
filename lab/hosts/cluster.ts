/** The Kubernetes API of a host, whether k3s or a kubelet starts it. */
import type { ClusterRequest, Machine } from "./machine";

/** Starts the API at the host's address, with the data of the cluster that ran on this disk before, if there was one. */
export async function startCluster(machine: Machine, request: Omit<ClusterRequest, "address">): Promise<void> {
  const { ctx, spec } = machine;
  machine.cluster = await machine.startCluster({ ...request, address: spec.address });
  ctx.records.add({ system: "ssh", target: spec.hostname, kind: "write", action: "cluster-start", detail: { address: spec.address } });
}

/** Stops it and keeps its data. */
export async function stopCluster(machine: Machine): Promise<void> {
  const { cluster } = machine;
  if (!cluster) return;
  machine.clusterState = cluster.save();
  machine.cluster = undefined;
  await cluster.stop();
  machine.ctx.records.add({ system: "ssh", target: machine.spec.hostname, kind: "write", action: "cluster-stop" });
}
