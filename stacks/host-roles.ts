/** Which roles each host has, without an engine: what `homelab hosts check` looks at. stacks/program.test.ts holds it against the programs. */
import { k3sNode } from "../components/clusters/k3s-node";
import type { HostedRole } from "../components/hosts/role-check";
import type { VmSpec } from "../components/hosts/vm-spec";
import type { StackConfig } from "./config";
import type { StackName } from "./outputs";

/** The VM that each stack's cluster runs on. */
const CLUSTER_VMS: Readonly<Record<StackName, string>> = {
  tools: "k8s-tools",
  observability: "k8s-observability",
  home: "k8s-home",
  sandboxy: "k8s-sandbox-01",
  dev: "k8s-dev",
  stg: "k8s-stg",
  prod: "k8s-prod",
};

/** The roles of one host, in the order in which they are applied; none for a host that is not managed beyond its VM. */
export function rolesOf(stack: StackName, spec: VmSpec, config: StackConfig): HostedRole[] {
  if (spec.name !== CLUSTER_VMS[stack]) return [];
  const { address } = spec.cloudInit.ipv4;
  return [{ role: k3sNode({ address, disable: config.k3sDisable, localStoragePath: config.localStoragePath }), secrets: {} }];
}

/** Groups of an inventory that a host is in. */
export const groupsOf = (stack: StackName, name: string): string[] => (name === CLUSTER_VMS[stack] ? ["k3s", stack] : [name.replace(/[^a-z0-9]/g, "_"), stack]);
