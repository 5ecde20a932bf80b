/** Whether the VMs of each host fit it: memory must, processors should. */
import type { ProxmoxNode } from "../../define/nodes";
import type { Problem } from "../problems";
import type { LocatedVm } from "./load-vms";

const vcpus = ({ spec }: LocatedVm): number => spec.cores * spec.sockets;

interface Demand {
  key: "memory" | "cores";
  of: (vm: LocatedVm) => number;
  free: number;
  text: (wanted: number, list: string) => string;
}

/** A problem where the VMs of a host want more than it has. It is reported at the VM that wants most, and lists all VMs of the host. */
function excess(here: readonly LocatedVm[], { key, of, free, text }: Demand): Problem[] {
  const wanted = here.reduce((sum, vm) => sum + of(vm), 0);
  const largest = here.toSorted((a, b) => of(b) - of(a))[0];
  if (wanted <= free || largest === undefined) return [];
  const list = here.map((vm) => `${vm.file}: ${of(vm)}`).join(", ");
  return [{ file: largest.file, line: largest.lineOf(key), key, message: text(wanted, list) }];
}

/** Too much memory is an error, since the host would kill VMs later. Shared processors are a warning: they only make VMs slower. */
export function checkCapacity(vms: readonly LocatedVm[], nodes: readonly ProxmoxNode[]): { problems: Problem[]; warnings: Problem[] } {
  const [problems, warnings]: [Problem[], Problem[]] = [[], []];
  for (const { name, memoryMiB, reservedMiB, threads } of nodes) {
    const here = vms.filter((vm) => vm.spec.node === name);
    const free = memoryMiB - reservedMiB;
    const memory = (wanted: number, list: string) => `the VMs of ${name} want ${wanted} MiB, and it has ${free} MiB for VMs (${list})`;
    problems.push(...excess(here, { key: "memory", of: (vm) => vm.spec.memoryMiB, free, text: memory }));
    const larger = here.filter((vm) => vcpus(vm) > threads);
    for (const vm of larger) {
      const message = `${vcpus(vm)} virtual processors (cores × sockets), and Proxmox starts no VM with more than the ${threads} threads of ${name}`;
      problems.push({ file: vm.file, line: vm.lineOf("cores"), key: "cores", message });
    }
    const cpu = (wanted: number, list: string) => `the VMs of ${name} share its ${threads} threads: they have ${wanted} virtual processors (${list})`;
    if (larger.length === 0) warnings.push(...excess(here, { key: "cores", of: vcpus, free: threads, text: cpu }));
  }
  return { problems, warnings };
}
