/**
 * Which roles each host has, and where their secrets come from. This is the only place that makes roles from settings: the programs
 * apply them (build/host-roles.ts), and `homelab hosts check` checks the same ones.
 */

import type { StackConfig } from "../../load/settings";
import type { LoadedStack } from "../../load/stacks";
import { checkKubeadm } from "./check-kubeadm";
import { clusterRoles, joiningNode, joiningNodes } from "./cluster-roles";
import { clusterVmOf, type PlannedRole, type RoleRequest } from "./planned-role";
import { checkServiceSettings, serviceRoles } from "./service-roles";

/**
 * The roles of a stack's hosts by VM, in the order in which they are applied. A host that is not managed beyond its VM has none.
 * @throws HomelabError E_CONFIG_VALUE, E_HOST_OFF, E_ROLE_ARGS for wrong settings
 */
export function planRoles(request: RoleRequest): Map<string, PlannedRole[]> {
  checkServiceSettings(request);
  checkKubeadm(request);
  const joining = joiningNodes(request.config);
  return new Map(
    [...request.stack.duties].flatMap(([name, duty]): [string, PlannedRole[]][] => {
      const spec = request.vms.get(name);
      if (spec === undefined) return [];
      const kind = joining.get(name);
      if (duty === "cluster") return [[name, clusterRoles(request, spec)]];
      return [[name, kind === undefined ? serviceRoles(request, spec, duty) : [joiningNode(request, spec, kind)]]];
    }),
  );
}

/** Groups of an inventory that a host is in. */
export function groupsOf(stack: LoadedStack, name: string, config: StackConfig): string[] {
  if (name === clusterVmOf(stack)) return [config.kubeadm === undefined ? "k3s" : "kubeadm", stack.name];
  return [joiningNodes(config).has(name) ? "kubeadm" : name.replace(/[^a-z0-9]/g, "_"), stack.name];
}

/** The entries of secrets/ that roles take values from. */
export const secretPaths = (roles: Iterable<PlannedRole>): string[] => [
  ...new Set([...roles].flatMap(({ secrets }) => Object.values(secrets).flatMap((source) => ("path" in source ? [source.path] : [])))),
];
