/** Problems that no single file shows: addresses, ids and devices used twice, and what the hosts do not have. */

import { nearest } from "../../../common/nearest";
import { nameOf, type ProxmoxNode } from "../../define/nodes";
import type { Site } from "../../define/site";
import { isInSubnet } from "../addresses";
import { type Problem, sortProblems } from "../problems";
import { checkCapacity } from "./capacity";
import type { LocatedVm } from "./load-vms";

/** Pairs of VMs with the same value of something; the second one's file gets the problem, which names the first's. */
function duplicates(vms: readonly LocatedVm[], keyOf: (vm: LocatedVm) => string, what: string, pick: (vm: LocatedVm) => string | undefined): Problem[] {
  const seen = new Map<string, LocatedVm>();
  return vms.flatMap((vm) => {
    const value = pick(vm);
    if (value === undefined) return [];
    const first = seen.get(value);
    if (first === undefined) {
      seen.set(value, vm);
      return [];
    }
    const key = keyOf(vm);
    const message = `the ${what} ${value} is also that of ${first.spec.name} (${first.file}:${first.lineOf(keyOf(first))})`;
    return [{ file: vm.file, line: vm.lineOf(key), key, message }];
  });
}

function checkAddress({ spec, file, lineOf }: LocatedVm, site: Site): Problem[] {
  const { address, prefix, gateway } = spec.cloudInit.ipv4;
  const at = (message: string): Problem[] => [{ file, line: lineOf("ipconfig0"), key: "ipconfig0", message }];
  if (!isInSubnet(address, site.subnet)) return at(`${address} is not an address of ${site.subnet}`);
  if (gateway !== undefined && !isInSubnet(gateway, site.subnet)) return at(`the gateway ${gateway} is not an address of ${site.subnet}`);
  if (address === site.gateway) return at(`${address} is the gateway's own address`);
  if (address === new URL(site.proxmoxEndpoint).hostname) return at(`${address} is the address of Proxmox`);
  if (prefix !== Number(site.subnet.split("/")[1])) return at(`the prefix /${prefix} is not that of the homelab's network ${site.subnet}`);
  return [];
}

function placement(vm: LocatedVm, nodes: ReadonlyMap<string, ProxmoxNode>): Problem[] {
  const at = (key: string, message: string): Problem => ({ file: vm.file, line: vm.lineOf(key), key, message });
  const { spec } = vm;
  const node = nodes.get(spec.node);
  if (node === undefined) {
    const meant = nearest(spec.node, [...nodes.keys()]);
    return [at("target_node", `there is no host "${spec.node}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`)];
  }
  const problems: Problem[] = [];
  // A cloud-init drive that the file does not name is on the storage of the first disk, whose problems are reported anyway.
  const drives = [...spec.disks, spec.cloudInit].filter((drive) => vm.placeOf(drive.interface) !== undefined);
  const storages = drives.map((drive): [string, string] => [`${vm.placeOf(drive.interface)}.storage`, drive.storage]);
  const forDisks = node.storages.map(nameOf);
  for (const [key, storage] of storages) {
    if (!forDisks.includes(storage)) problems.push(at(key, `${node.name} has no storage "${storage}"; it has ${forDisks.join(", ")}`));
  }
  const forIsos = [nameOf(node.fileStorage), ...node.isoStorages];
  const isoStorage = spec.cdrom?.file.split(":")[0];
  if (spec.cdrom !== undefined && isoStorage !== undefined && !forIsos.includes(isoStorage)) {
    const names = [...new Set(forIsos)].map((name) => `"${name}"`).join(" and ");
    problems.push(at(`${vm.placeOf(spec.cdrom.interface)}.iso`, `${node.name} keeps ISOs in ${names}, not in "${isoStorage}"`));
  }
  const bridges = node.bridges.map(nameOf);
  if (!bridges.includes(spec.network.bridge)) {
    problems.push(at("network.bridge", `${node.name} has no bridge "${spec.network.bridge}"; it has ${bridges.join(", ")}`));
  }
  return problems;
}

function templateIds(vms: readonly LocatedVm[], nodes: readonly ProxmoxNode[]): Problem[] {
  return vms.flatMap((vm) => {
    const node = nodes.find(({ templateId }) => templateId === vm.spec.vmId);
    if (node === undefined) return [];
    return [{ file: vm.file, line: vm.lineOf(vm.idKey), key: vm.idKey, message: `the Proxmox id ${vm.spec.vmId} is that of the template on ${node.name}` }];
  });
}

/** Problems of VMs with each other and with their hosts, and warnings. @param vms each is well formed by itself */
export function checkVms(vms: readonly LocatedVm[], nodes: readonly ProxmoxNode[], site: Site): { problems: Problem[]; warnings: Problem[] } {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const capacity = checkCapacity(vms, nodes);
  const device = (vm: LocatedVm) => vm.spec.passthrough[0];
  const problems = [
    ...vms.flatMap((vm) => checkAddress(vm, site)),
    ...duplicates(
      vms,
      () => "ipconfig0",
      "address",
      (vm) => vm.spec.cloudInit.ipv4.address,
    ),
    ...duplicates(
      vms,
      (vm) => vm.idKey,
      "Proxmox id",
      (vm) => String(vm.spec.vmId),
    ),
    ...duplicates(
      vms,
      (vm) => `${vm.placeOf("scsi1")}.file`,
      "device",
      (vm) => (device(vm) === undefined ? undefined : `${device(vm)?.device} of ${vm.spec.node}`),
    ),
    ...templateIds(vms, nodes),
    ...vms.flatMap((vm) => placement(vm, byName)),
    ...capacity.problems,
  ];
  return { problems: sortProblems(problems), warnings: sortProblems([...vms.flatMap((vm) => vm.warnings), ...capacity.warnings]) };
}
