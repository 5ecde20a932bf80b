/** The stack's cluster on its VM, with the roles of all of the stack's hosts. */
import type { Provider as CommandProvider } from "@pulumi/command/provider";
import type * as pulumi from "@pulumi/pulumi";
import { K3sCluster } from "../../components/clusters/k3s-cluster";
import { KubeadmCluster } from "../../components/clusters/kubeadm-cluster";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import { joiningNodes } from "../plan/hosts/cluster-roles";
import type { BuildContext } from "./context";
import { applyRoles, applyServiceRoles, secretValues } from "./host-roles";
import type { BuiltHost } from "./vms";

/** The roles of the stack's hosts, with the cluster on its VM and those that join it. */
export function buildCluster(context: BuildContext, hosts: ReadonlyMap<string, BuiltHost>, command: CommandProvider): KubernetesCluster {
  const { stack, clusterVm, config, joining } = context.plan;
  const first = hosts.get(clusterVm);
  const node = context.plan.roles.get(clusterVm)?.find(({ makesCluster }) => makesCluster === true);
  if (first === undefined || node === undefined) throw new Error(`the plan of ${stack.name} has no role that makes a cluster on ${clusterVm}`);
  const opts = { providers: { command } };
  const after = applyServiceRoles(context, hosts, command)(first);
  const secrets = secretValues(context, node.secrets);
  const args = {
    vm: first.built,
    address: first.spec.cloudInit.ipv4.address,
    contextName: stack.name,
    access: first.access,
    role: node.role,
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    after,
  };
  const cluster = config.kubeadm === undefined ? new K3sCluster(stack.name, args, opts) : new KubeadmCluster(stack.name, args, opts);
  applyRoles(context, first, { command, after: [cluster.role] });
  if (cluster instanceof KubeadmCluster) {
    let lastMember: pulumi.Resource = cluster.role;
    for (const name of joining) {
      const host = hosts.get(name);
      if (host === undefined) continue;
      const isMember = joiningNodes(config).get(name) === "control-plane";
      // Members join etcd one at a time: one that joins while another is not healthy yet can leave etcd without a majority.
      const after = isMember ? [lastMember] : [cluster.role];
      const roles = applyRoles(context, host, { command, after, cluster: { first, authorityHash: cluster.caHash } });
      if (isMember) lastMember = roles.at(-1) ?? lastMember;
    }
  }
  return cluster;
}
