/** The outputs of a stack that was built. */
import * as pulumi from "@pulumi/pulumi";
import type { BuiltStack } from "../build/stack";
import { groupsOf } from "../plan/hosts/plan-roles";
import type { StackPlan } from "../plan/plan";
import { type InventoryHost, renderIni, renderSshConfig } from "./inventory";
import { SECRET_OUTPUTS } from "./schemas";

type OutputMap = Record<string, pulumi.Input<unknown>>;

/** The stack's VMs: addresses, and the inventory in the forms that other tools read. */
function hostOutputs({ stack, config }: StackPlan, built: BuiltStack): OutputMap {
  const hosts = Object.fromEntries(
    [...built.hosts].map(([name, { spec, built: vm, access }]): [string, pulumi.Output<InventoryHost>] => {
      const fixed = { user: access.user, node: spec.node, running: spec.running, groups: groupsOf(stack, name, config) };
      return [name, pulumi.all([vm.address, vm.hostKey ?? ""]).apply(([address, hostKey]) => ({ address, hostKey, ...fixed }))];
    }),
  );
  return {
    vms: Object.fromEntries([...built.hosts].map(([name, { built: vm }]) => [name, vm.address])),
    hosts,
    inventory: pulumi.all(hosts).apply(renderIni),
    sshConfig: pulumi.all(hosts).apply((all) => renderSshConfig(all)),
  };
}

/** Outputs by name, as in schemas.ts. Those that must be secret become secret here, whatever was built. */
export function stackOutputs(plan: StackPlan, built: BuiltStack): OutputMap {
  const { cluster, given, templates } = built;
  const { vault, vaultId, vaultTokens } = given;
  const outputs: OutputMap = {
    kubeconfig: cluster.kubeconfig,
    clusterEndpoint: cluster.endpoint,
    ...hostOutputs(plan, built),
    urls: built.urls,
    images: built.images,
    ...(templates === undefined ? {} : { templateIds: templates }),
    ...(vault === undefined || vaultId === undefined || vaultTokens === undefined ? {} : { vaultAddress: vault.address, vaultId, vaultTokens }),
    ...built.appOutputs,
  };
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, SECRET_OUTPUTS.has(key) ? pulumi.secret(value) : value]));
}
