/** Which VMs are protected from deletion and replacement. */
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { VmSpec } from "../../components/hosts/vm-spec";
import type { StackConfig } from "../load/settings";

/** A VM that holds data, or any where the stack says so, is protected until the setting replaceVms names it. */
export function isProtected(spec: VmSpec, config: StackConfig): boolean {
  const released = config.replaceVms.includes("*") || config.replaceVms.includes(spec.name);
  return (spec.holdsData || config.protectVms) && !released;
}

/** @throws HomelabError E_VM_UNKNOWN for a name in replaceVms that is no VM of the stack */
export function checkReleased(stack: string, config: StackConfig, vms: readonly VmSpec[]): void {
  const names = vms.map(({ name }) => name);
  const unknown = config.replaceVms.find((name) => name !== "*" && !names.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, names);
  throw new HomelabError("E_VM_UNKNOWN", `Pulumi.${stack}.yaml: homelab:replaceVms names "${unknown}", which is no VM of this stack`, {
    subject: unknown,
    hint: meant === undefined ? `its VMs are: ${names.join(", ")}` : `did you mean "${meant}"?`,
  });
}
