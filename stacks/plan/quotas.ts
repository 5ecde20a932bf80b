/** Quotas of namespaces, from the workloads and volumes that modules and applications declare. Plain data; loads no Pulumi SDK. */
import type { ContainerDefaults } from "../../components/base/namespace";
import type { ChosenModule, PlannedApplication } from "./platform-types";
import { mebibytes, milliCpu } from "./requests";

/** Beside the pods that run all the time: Jobs of installations, and other short-lived pods. */
const BESIDE = { cpu: 500, memoryMiB: 1024, pods: 10 };

interface Sum {
  cpu: number;
  memoryMiB: number;
  pods: number;
  /** Of all volumes together, and of the largest one. */
  storageGiB: number;
  greatestGiB: number;
}

const NOTHING: Sum = { cpu: 0, memoryMiB: 0, pods: 0, storageGiB: 0, greatestGiB: 0 };

/**
 * The `hard` of each namespace's ResourceQuota. It has room for updates, which run a second pod for a while, for DaemonSets, which run one
 * on each machine, and for a volume that is made beside the one that it replaces. It stops software that makes more and more pods, or
 * ever larger ones, before that affects other namespaces.
 * @param machines how many the cluster has
 */
export function quotasOf(
  chosen: readonly ChosenModule[],
  applications: readonly PlannedApplication[],
  machines: number,
  defaults: ContainerDefaults,
): Map<string, Readonly<Record<string, string>>> {
  const sums = new Map<string, Sum>();
  const add = (namespace: string, more: Partial<Sum>): void => {
    const sum = sums.get(namespace) ?? NOTHING;
    sums.set(namespace, {
      cpu: sum.cpu + (more.cpu ?? 0),
      memoryMiB: sum.memoryMiB + (more.memoryMiB ?? 0),
      pods: sum.pods + (more.pods ?? 0),
      storageGiB: sum.storageGiB + (more.storageGiB ?? 0),
      greatestGiB: Math.max(sum.greatestGiB, more.greatestGiB ?? 0),
    });
  };
  const free = new Set(chosen.flatMap(({ parts }) => Object.keys(parts.withoutQuota)));
  for (const { parts } of chosen) {
    const [home] = parts.namespaces;
    for (const namespace of parts.namespaces) add(namespace, {});
    for (const { namespace = home, replicas = 1, cpu = defaults.cpu, memory = defaults.memory, onDemand } of parts.workloads) {
      // Pods on demand have no second one during an update.
      const times = replicas * (onDemand === true ? 1 : 1 + machines);
      if (namespace !== undefined) add(namespace, { cpu: times * milliCpu(cpu), memoryMiB: times * mebibytes(memory), pods: times });
    }
    for (const { namespace = home, size, count = 1, ownDisk } of parts.volumes) {
      const gib = mebibytes(size) / 1024;
      // A volume on a disk of its own cannot have a second one beside it.
      if (namespace !== undefined) add(namespace, { storageGiB: count * gib, greatestGiB: ownDisk === true ? 0 : gib });
    }
  }
  for (const { namespace, requests } of applications) {
    const times = requests.replicas * (1 + machines);
    add(namespace, { cpu: times * milliCpu(requests.cpu), memoryMiB: times * mebibytes(requests.memory), pods: times });
  }
  return new Map(
    [...sums]
      .filter(([namespace]) => !free.has(namespace))
      .map(([namespace, { cpu, memoryMiB, pods, storageGiB, greatestGiB }]) => [
        namespace,
        {
          "requests.cpu": `${Math.ceil(cpu + BESIDE.cpu)}m`,
          "requests.memory": `${Math.ceil(memoryMiB + BESIDE.memoryMiB)}Mi`,
          pods: String(pods + BESIDE.pods),
          "requests.storage": `${Math.ceil((storageGiB + greatestGiB) * 1024)}Mi`,
        },
      ]),
  );
}
