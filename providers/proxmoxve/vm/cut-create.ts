/**
 * A creation whose engine was killed leaves a VM that no state knows, and the next run would find its number taken. The VM carries a line in
 * its description from the clone's first moment until it is made: by that line the next run of the same resource knows it as its own.
 */
import { createHash } from "node:crypto";
import { needsNothing } from "./converge";
import type { Vm } from "./inputs";
import type { Machine } from "./machine";

/** The line. It identifies one resource of one stack, without showing its name. */
const creationMark = (urn: string): string => `homelab: being created (${createHash("sha256").update(urn).digest("hex").slice(0, 16)})`;

export const markedDescription = (vm: Vm, urn: string): string => [vm.description, creationMark(urn)].filter((line) => line !== "").join("\n");

/**
 * Whether an existing VM was left by an interrupted creation of this resource. Then it carries the resource's mark. Or it matches all
 * inputs: that is so where the engine was killed after the work and before its state was written.
 */
export async function isOfCutCreation(machine: Machine, vm: Vm, urn: string): Promise<boolean> {
  const config = await machine.config();
  if (config === undefined || (config["template"] === "1" && !vm.template)) return false;
  if ((config["description"] ?? "").includes(creationMark(urn))) return true;
  return vm.name !== "" && config["name"] === vm.name && needsNothing(vm, config);
}
