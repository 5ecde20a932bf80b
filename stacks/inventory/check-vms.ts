import type { ProxmoxNode } from "../hosts";
import { nearest } from "../nearest";
import type { Site } from "../site";
import type { LocatedVm, Problem } from "./load-vms";

const toNumber = (address: string): number => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);

/** Whether an IPv4 address lies in a network given as CIDR, and is not its first or last address. */
function isInSubnet(address: string, subnet: string): boolean {
  const [base = "", prefix = ""] = subnet.split("/");
  const size = 2 ** (32 - Number(prefix));
  const offset = toNumber(address) - toNumber(base);
  return offset > 0 && offset < size - 1;
}

/** Pairs of VMs with the same value of something; the second one's file gets the problem, which names the first's. */
function duplicates(vms: readonly LocatedVm[], key: string, what: string, pick: (vm: LocatedVm) => string): Problem[] {
  const seen = new Map<string, LocatedVm>();
  return vms.flatMap((vm) => {
    const value = pick(vm);
    const first = seen.get(value);
    if (first === undefined) {
      seen.set(value, vm);
      return [];
    }
    return [
      { file: vm.file, line: vm.lineOf(key), key, message: `the ${what} ${value} is also that of ${first.spec.name} (${first.file}:${first.lineOf(key)})` },
    ];
  });
}

function placement(vm: LocatedVm, nodes: ReadonlyMap<string, ProxmoxNode>): Problem[] {
  const at = (key: string, message: string): Problem => ({ file: vm.file, line: vm.lineOf(key), key, message });
  const node = nodes.get(vm.spec.node);
  if (node === undefined) {
    const meant = nearest(vm.spec.node, [...nodes.keys()]);
    return [at("target_node", `there is no host "${vm.spec.node}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`)];
  }
  const problems: Problem[] = [];
  const storages: [string, string][] = vm.spec.disks.map((disk) => [`nested_disks.scsi.${disk.interface}.disk.storage`, disk.storage]);
  storages.push([`nested_disks.ide.${vm.spec.cloudInit.interface}.cloudinit.storage`, vm.spec.cloudInit.storage]);
  for (const [key, storage] of storages) {
    if (!node.storages.includes(storage)) problems.push(at(key, `${node.name} has no storage "${storage}"; it has ${node.storages.join(", ")}`));
  }
  if (!node.bridges.includes(vm.spec.network.bridge)) {
    problems.push(at("network.bridge", `${node.name} has no bridge "${vm.spec.network.bridge}"; it has ${node.bridges.join(", ")}`));
  }
  return problems;
}

/** More memory than a host has stops VMs at random hours later: refused, with the VMs that share the host. */
function memory(vms: readonly LocatedVm[], nodes: Iterable<ProxmoxNode>): Problem[] {
  const problems: Problem[] = [];
  for (const node of nodes) {
    const here = vms.filter((vm) => vm.spec.node === node.name);
    const wanted = here.reduce((sum, vm) => sum + vm.spec.memoryMiB, 0);
    const free = node.memoryMiB - node.reservedMiB;
    const largest = here.toSorted((a, b) => b.spec.memoryMiB - a.spec.memoryMiB)[0];
    if (wanted <= free || largest === undefined) continue;
    problems.push({
      file: largest.file,
      line: largest.lineOf("memory"),
      key: "memory",
      message: `the VMs of ${node.name} want ${wanted} MiB, and it has ${free} MiB for VMs (${here.map((vm) => `${vm.file}: ${vm.spec.memoryMiB}`).join(", ")})`,
    });
  }
  return problems;
}

/** What no single file shows: addresses, names and ids used twice, and what the hosts do not have. */
export function checkVms(vms: readonly LocatedVm[], nodes: readonly ProxmoxNode[], site: Site): Problem[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const outside = vms.flatMap((vm): Problem[] => {
    const { ipv4 } = vm.spec.cloudInit;
    const at = (message: string): Problem => ({ file: vm.file, line: vm.lineOf("ipconfig0"), key: "ipconfig0", message });
    if (!isInSubnet(ipv4.address, site.subnet)) return [at(`${ipv4.address} is not an address of ${site.subnet}`)];
    if (ipv4.gateway !== undefined && !isInSubnet(ipv4.gateway, site.subnet)) return [at(`the gateway ${ipv4.gateway} is not an address of ${site.subnet}`)];
    if (ipv4.address === site.gateway) return [at(`${ipv4.address} is the gateway's own address`)];
    return [];
  });
  return [
    ...outside,
    ...duplicates(vms, "ipconfig0", "address", (vm) => vm.spec.cloudInit.ipv4.address),
    ...duplicates(vms, "vm_id", "Proxmox id", (vm) => String(vm.spec.vmId)),
    ...vms.flatMap((vm) => placement(vm, byName)),
    ...memory(vms, nodes),
  ].toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}
