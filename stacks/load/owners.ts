/** Which VM belongs to which stack, and what for. */
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { VmDuty } from "../define/stacks";
import { stackPlace } from "./source-lines";
import type { LoadedStack } from "./stacks";

/** Folder of the definitions, relative to the checkout. */
export const VM_FOLDER = "site/vms";

/** Duties for which one host serves all stacks. */
const ONE_OF_ALL: readonly VmDuty[] = ["dns", "haproxy", "teleport", "boot-server"];

function checkDuties(stacks: readonly LoadedStack[], root: string): void {
  for (const { name, duties } of stacks) {
    const clusters = [...duties].filter(([, duty]) => duty === "cluster").map(([vm]) => vm);
    if (clusters.length !== 1)
      throw new HomelabError(
        "E_VM_DUTY",
        `${stackPlace(root, name, "vms")}the stack "${name}" has ${clusters.length === 0 ? "no VM for its cluster" : `two VMs for its cluster: ${clusters.join(" and ")}`}`,
        { subject: name, hint: 'give one of its VMs the duty "cluster"' },
      );
  }
  for (const duty of ONE_OF_ALL) {
    const vms = stacks.flatMap(({ duties }) => [...duties].filter(([, other]) => other === duty).map(([vm]) => vm));
    if (vms.length > 1)
      throw new HomelabError("E_VM_DUTY", `the VMs ${vms.join(" and ")} both have the duty "${duty}"`, {
        ...(vms[1] === undefined ? {} : { subject: vms[1] }),
        hint: "one host serves all stacks: correct site/stacks.ts",
      });
  }
}

/**
 * Every VM file belongs to one stack, every VM that a stack names has a file, and each stack has one VM for its cluster.
 * @param names of the VM files
 * @param root of the checkout, for the lines of site/stacks.ts
 * @throws HomelabError E_VM_OWNER, E_VM_UNKNOWN, E_VM_DUTY
 */
export function checkOwners(names: readonly string[], stacks: readonly LoadedStack[], root: string): void {
  const owners = new Map<string, string>();
  for (const stack of stacks) {
    for (const vm of stack.duties.keys()) {
      const other = owners.get(vm);
      if (other !== undefined)
        throw new HomelabError("E_VM_OWNER", `${stackPlace(root, stack.name, "vms", vm)}the VM "${vm}" belongs to the stacks ${other} and ${stack.name}`, {
          subject: vm,
          hint: "name it in one stack",
        });
      owners.set(vm, stack.name);
      if (names.includes(vm)) continue;
      const meant = nearest(vm, names);
      throw new HomelabError(
        "E_VM_UNKNOWN",
        `${stackPlace(root, stack.name, "vms", vm)}stack "${stack.name}" has the VM "${vm}", and there is no ${VM_FOLDER}/${vm}.yaml`,
        {
          subject: stack.name,
          hint: meant === undefined ? "write that file" : `did you mean "${meant}"?`,
        },
      );
    }
  }
  for (const name of names) {
    if (owners.has(name)) continue;
    throw new HomelabError("E_VM_OWNER", `${VM_FOLDER}/${name}.yaml belongs to no stack`, {
      subject: name,
      hint: "add the VM to a stack of site/stacks.ts",
    });
  }
  checkDuties(stacks, root);
}
