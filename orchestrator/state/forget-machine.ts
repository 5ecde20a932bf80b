/**
 * Takes a VM that was lost with its node out of its stack's state. The node would answer no request, not even a deletion. Resources that were
 * created in the VM stay in the state: the next `up` creates the VM, sees that it is another one, and creates these resources again.
 */
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { type EngineCommand, readState, writeState } from "./pending-creates";

const VM = "proxmoxve:index/vmLegacy:VmLegacy";

/** Name of a definition of site/vms by the URN of its VM (components/hosts/vm.ts). */
const machineOf = (urn: string): string | undefined => (urn.split("::")[2]?.split("$").at(-1) === VM ? urn.split("::").at(-1)?.replace(/-vm$/, "") : undefined);

/** The value without references to the URN. */
const withoutReferences = (value: unknown, urn: string): unknown => {
  if (Array.isArray(value)) return value.filter((item) => item !== urn).map((item) => withoutReferences(item, urn));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (key === "deletedWith" && item === urn ? [] : [[key, withoutReferences(item, urn)]])),
  );
};

/**
 * @param machine the name of its file in site/vms
 * @returns its URN
 * @throws HomelabError E_VM_UNKNOWN where the state has no such VM
 */
export async function forgetMachine(run: EngineCommand, stack: string, machine: string): Promise<string> {
  const whole = await readState(run, stack);
  const resources = whole.deployment?.resources ?? [];
  const known = new Map(resources.flatMap(({ urn }) => (machineOf(urn) === undefined ? [] : [[machineOf(urn), urn] as const])));
  const urn = known.get(machine);
  if (urn === undefined) {
    const names = [...known.keys()].filter((name) => name !== undefined);
    const meant = nearest(machine, names);
    throw new HomelabError("E_VM_UNKNOWN", `the state of ${stack} has no VM ${machine}`, {
      subject: machine,
      hint: meant !== undefined ? `did you mean ${meant}?` : names.length === 0 ? "it has no VM at all" : `its VMs are: ${names.join(", ")}`,
    });
  }
  // Only the fields that link resources are changed; inputs and outputs stay as they are.
  const left = resources
    .filter((resource) => resource.urn !== urn)
    .map((resource) => {
      const { inputs, outputs, ...facts } = resource;
      const data = { ...("inputs" in resource ? { inputs } : {}), ...("outputs" in resource ? { outputs } : {}) };
      return { ...(withoutReferences(facts, urn) as typeof resource), ...data };
    });
  await writeState(run, stack, whole, { resources: left });
  return urn;
}
