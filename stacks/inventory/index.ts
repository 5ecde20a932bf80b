import * as path from "node:path";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { projectRoot } from "../../common/paths";
import type { VmSpec } from "../../components/hosts/vm-spec";
import { STACKS } from "../definitions";
import type { AnyStackDefinition } from "../graph";
import { NODES } from "../hosts";
import { SITE } from "../site";
import { checkVms } from "./check-vms";
import { readVms } from "./load-vms";
import { problemText, throwProblems } from "./problems";

/** Where the definitions lie, from the checkout's folder. */
const VM_FOLDER = "stacks/inventory/vms";

/** Every VM file belongs to one stack, and every VM that a stack names has a file. */
export function checkOwners(names: readonly string[], stacks: readonly AnyStackDefinition[]): void {
  const owners = new Map<string, string>();
  for (const stack of stacks) {
    for (const vm of stack.vms) {
      const other = owners.get(vm);
      if (other !== undefined)
        throw new HomelabError("E_VM_OWNER", `the VM "${vm}" belongs to the stacks ${other} and ${stack.name}`, {
          subject: vm,
          hint: "name it in one stack of stacks/definitions.ts",
        });
      owners.set(vm, stack.name);
      if (names.includes(vm)) continue;
      const meant = nearest(vm, names);
      throw new HomelabError("E_VM_UNKNOWN", `stack "${stack.name}" has the VM "${vm}", and there is no ${VM_FOLDER}/${vm}.yaml`, {
        subject: stack.name,
        hint: meant === undefined ? "write that file" : `did you mean "${meant}"?`,
      });
    }
  }
  for (const name of names) {
    if (owners.has(name)) continue;
    throw new HomelabError("E_VM_OWNER", `${VM_FOLDER}/${name}.yaml belongs to no stack`, {
      subject: name,
      hint: "add the VM to a stack of stacks/definitions.ts",
    });
  }
}

export interface Inventory {
  vms: ReadonlyMap<string, VmSpec>;
  /** What is accepted and should be known, by VM: `file:line: key: message`. */
  warnings: ReadonlyMap<string, readonly string[]>;
}

/**
 * All VMs, each file and all of them together checked.
 * @throws HomelabError E_INVENTORY with file, line and key of every problem; E_VM_OWNER; E_VM_UNKNOWN
 */
export function loadInventory(folder = path.join(projectRoot(), VM_FOLDER)): Inventory {
  const located = readVms(folder, VM_FOLDER);
  const { problems, warnings } = checkVms(located, NODES, SITE);
  throwProblems(problems);
  checkOwners(
    located.map((vm) => vm.spec.name),
    STACKS,
  );
  const warningsOf = (file: string) => warnings.filter((warning) => warning.file === file).map(problemText);
  return {
    vms: new Map(located.map((vm) => [vm.spec.name, vm.spec])),
    warnings: new Map(located.map((vm) => [vm.spec.name, warningsOf(vm.file)])),
  };
}
