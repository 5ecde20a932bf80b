/** Plans of the stacks of the tests' homelab with other settings and other VMs. */
import type { VmSpec } from "../../components/hosts/vm-spec";
import type { VmDuty } from "../../stacks/define/stacks";
import type { Estate } from "../../stacks/load/estate";
import { parseStackConfigFile, type StackConfig } from "../../stacks/load/settings";
import type { LoadedStack } from "../../stacks/load/stacks";
import { planRoles } from "../../stacks/plan/hosts/plan-roles";
import type { PlannedRole } from "../../stacks/plan/hosts/planned-role";
import { stackOf } from "../../stacks/plan/plan";
import { loadHomelab, useHomelabSecrets } from "./homelab";

useHomelabSecrets();

export const estate: Estate = loadHomelab();

/** @param settings with their namespace, beside the required one */
export const configOf = (settings: object): StackConfig =>
  parseStackConfigFile("f", JSON.stringify({ config: { "homelab:acmeEmail": "a@b.pw", ...settings } }));

/** A stack with additional VMs, which belong to another stack. */
export function stackWith(name: string, more: Readonly<Record<string, VmDuty>> = {}): LoadedStack {
  const stack = stackOf(estate, name);
  return { ...stack, duties: new Map([...stack.duties, ...Object.entries(more)]) };
}

/** The roles of a stack's hosts. @param more VMs beside the stack's own */
export function rolesOf(
  name: string,
  settings: object = {},
  vms: ReadonlyMap<string, VmSpec> = estate.vms,
  more: Readonly<Record<string, VmDuty>> = {},
): Map<string, PlannedRole[]> {
  return planRoles({ ...estate, stack: stackWith(name, more), config: configOf(settings), vms });
}
