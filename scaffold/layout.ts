/** Which VMs a new site has: where each is, at which address, and how large. */
import { HomelabError } from "../common/errors";
import type { Answers, NodeAnswer } from "./answers";
import { hostAt, parseNetwork } from "./network";

export type Duty = "dns" | "cluster";

export interface PlannedVm {
  name: string;
  stack: string;
  duty: Duty;
  node: NodeAnswer;
  address: string;
  cores: number;
  memoryMiB: number;
  diskGiB: number;
}

/** Kept for the hypervisor itself. */
export const RESERVED_MIB = 2048;

const SIZES = {
  dns: { cores: 1, memoryMiB: 1024, diskGiB: 10 },
  /** Cluster of the first stack, which runs Vault and the other shared services. */
  services: { cores: 4, memoryMiB: 8192, diskGiB: 60 },
  cluster: { cores: 2, memoryMiB: 4096, diskGiB: 40 },
} as const;

/** Where the addresses of the DNS server and of the clusters begin. Lower ones often belong to routers and devices. */
const [DNS_AT, CLUSTERS_AT] = [3, 11];

const clusterVmName = (stack: string): string => `k8s-${stack}`;

/** The first free addresses from the given one on. @param from its position in the network */
function freeAddresses({ network: text, gateway, nodes }: Pick<Answers, "network" | "gateway" | "nodes">, from: number, count: number): string[] {
  const network = parseNetwork(text);
  const taken = new Set([gateway, ...nodes.map(({ address }) => address)]);
  const found: string[] = [];
  for (let n = from; found.length < count; n++) {
    const address = hostAt(network, n);
    if (!network.holds(address))
      throw new HomelabError("E_USAGE", `${text} has no room for ${count} clusters`, { subject: text, hint: "give a larger --network" });
    if (!taken.has(address)) found.push(address);
  }
  return found;
}

/** @throws HomelabError E_USAGE where a node cannot hold what would be on it */
export function layOut(answers: Answers): PlannedVm[] {
  const { nodes, stacks } = answers;
  const [first] = nodes;
  const [services = ""] = stacks;
  if (first === undefined) throw new Error("a site without a node");
  const [dns = ""] = freeAddresses(answers, DNS_AT, 1);
  const addresses = freeAddresses(answers, CLUSTERS_AT, stacks.length);
  const vms: PlannedVm[] = [{ name: "dns", stack: services, duty: "dns", node: first, address: dns, ...SIZES.dns }];
  for (const [index, stack] of stacks.entries())
    vms.push({
      ...{ name: clusterVmName(stack), stack, duty: "cluster", node: nodes[index % nodes.length] ?? first, address: addresses[index] ?? "" },
      ...(index === 0 ? SIZES.services : SIZES.cluster),
    });
  for (const node of nodes) {
    const asked = vms.filter((vm) => vm.node === node).reduce((sum, vm) => sum + vm.memoryMiB, 0);
    if (asked + RESERVED_MIB > node.memoryMiB)
      throw new HomelabError(
        "E_USAGE",
        `node ${node.name} has ${node.memoryMiB / 1024} GiB, and its VMs would need ${Math.ceil((asked + RESERVED_MIB) / 1024)} GiB`,
        {
          subject: node.name,
          hint: "name fewer --stacks, more nodes, or the nodes' real --memory",
        },
      );
  }
  return vms;
}
