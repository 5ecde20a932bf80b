/** The Kubernetes API of a host, whoever brings it up. */
import type { ClusterRequest, Machine } from "./machine";

/** Brings the API up at the host's address, as it was left where it ran before on this disk. */
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
