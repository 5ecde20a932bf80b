/**
 * Compares what all modules and applications of an environment request with what its machines have. This is done before anything is made:
 * later, a pod that fits on no machine is only seen as one that does not start. Plain data; loads no Pulumi SDK.
 */
import type { ContainerDefaults } from "../../components/base/namespace";
import type { Amount, ChosenModule, Machine, PlannedApplication, Requests } from "./platform-types";

/**
 * What a machine keeps for itself: kernel, SSH, containerd, the kubelet with its threshold for eviction, and the control plane with
 * its parts (k3s with Traefik, CoreDNS and metrics-server takes about 1.2 GiB and a third of a processor at rest).
 */
const OWN: Amount = { cpu: 500, memoryMiB: 1536, diskGiB: 8 };
/** Above this share there is a warning: an update runs two pods at once for a while, and images and logs grow. */
const NEARLY: Amount = { cpu: 0.8, memoryMiB: 0.8, diskGiB: 0.97 };

const CPU = /^(\d+(?:\.\d+)?)(m?)$/;
const MEMORY = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)$/;
const MIB = { Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1024 * 1024 } as const;

/** `250m` or `2` in thousandths. @throws Error for another text: options are checked before */
export function milliCpu(text: string): number {
  const [, number, unit] = CPU.exec(text) ?? [];
  if (number === undefined) throw new Error(`"${text}" is no amount of processors; write 250m or 2`);
  return Number(number) * (unit === "m" ? 1 : 1000);
}

/** `64Mi` or `2Gi` in MiB. @throws Error for another text */
export function mebibytes(text: string): number {
  const [, number, unit] = MEMORY.exec(text) ?? [];
  if (number === undefined) throw new Error(`"${text}" is no amount of memory; write 64Mi or 2Gi`);
  return Number(number) * MIB[unit as keyof typeof MIB];
}

const NOTHING: Amount = { cpu: 0, memoryMiB: 0, diskGiB: 0 };
const plus = (a: Amount, b: Amount): Amount => ({ cpu: a.cpu + b.cpu, memoryMiB: a.memoryMiB + b.memoryMiB, diskGiB: a.diskGiB + b.diskGiB });

function ofModule({ module, parts }: ChosenModule, defaults: ContainerDefaults): Amount & { name: string } {
  const pods = parts.workloads.map(({ replicas = 1, cpu = defaults.cpu, memory = defaults.memory }) => ({
    ...NOTHING,
    cpu: replicas * milliCpu(cpu),
    memoryMiB: replicas * mebibytes(memory),
  }));
  const volumes = parts.volumes
    .filter(({ ownDisk }) => ownDisk !== true)
    .map(({ size, count = 1 }) => ({ ...NOTHING, diskGiB: (count * mebibytes(size)) / 1024 }));
  return { name: module.name, ...[...pods, ...volumes].reduce(plus, NOTHING) };
}

const ofApplication = ({ name, requests: { replicas, cpu, memory } }: PlannedApplication): Amount & { name: string } => ({
  name,
  ...NOTHING,
  cpu: replicas * milliCpu(cpu),
  memoryMiB: replicas * mebibytes(memory),
});

function roomOf(machines: readonly Machine[]): Requests["room"] {
  const known = machines.every(({ diskGiB }) => diskGiB !== undefined);
  const sum = (of: (machine: Machine) => number): number => machines.reduce((all, machine) => all + Math.max(0, of(machine)), 0);
  return {
    cpu: sum(({ cores }) => cores * 1000 - OWN.cpu),
    memoryMiB: sum(({ memoryMiB }) => memoryMiB - OWN.memoryMiB),
    diskGiB: known ? sum(({ diskGiB = 0 }) => diskGiB - OWN.diskGiB) : undefined,
  };
}

/** Names that a message lists, the largest first. */
const NAMED = 4;

const round = (value: number): number => Math.round(value * 10) / 10;
const KINDS = {
  cpu: { what: "processors", text: (value: number) => String(round(value / 1000)) },
  memoryMiB: { what: "memory", text: (value: number) => `${round(value / 1024)} GiB` },
  diskGiB: { what: "volumes", text: (value: number) => `${round(value)} GiB` },
} as const;

/** @param machines of the environment's cluster */
export function requestsOf(
  environment: string,
  machines: readonly Machine[],
  chosen: readonly ChosenModule[],
  applications: readonly PlannedApplication[],
  defaults: ContainerDefaults,
): Requests {
  const by = [...chosen.map((one) => ofModule(one, defaults)), ...applications.map(ofApplication)]
    .filter(({ cpu, memoryMiB, diskGiB }) => cpu + memoryMiB + diskGiB > 0)
    .toSorted((a, b) => b.memoryMiB - a.memoryMiB || (a.name < b.name ? -1 : 1));
  const asked = by.reduce(plus, NOTHING);
  const room = roomOf(machines);
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const kind of ["cpu", "memoryMiB", "diskGiB"] as const) {
    const has = room[kind];
    if (has === undefined || asked[kind] <= has * NEARLY[kind]) continue;
    const { what, text } = KINDS[kind];
    const names = by.filter((one) => one[kind] > 0).toSorted((a, b) => b[kind] - a[kind]);
    const others = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const list = `${names
      .slice(0, NAMED)
      .map((one) => `${one.name} ${text(one[kind])}`)
      .join(", ")}${others}`;
    const where = machines.map(({ name }) => name).join(" and ");
    const message = `${environment}: its modules and applications ask for ${text(asked[kind])} of ${what}, and ${where} ${machines.length === 1 ? "has" : "have"} ${text(has)} for them (${list})`;
    if (asked[kind] > has) problems.push(`${message}; take something out, or give the machine more`);
    else warnings.push(message);
  }
  return { asked, room, by, problems, warnings };
}

/** For people: `1.2 of 3.5 processors, 2.1 GiB of 14.5 GiB of memory, 50 GiB of 215 GiB of volumes`. */
export const requestsText = ({ asked, room }: Pick<Requests, "asked" | "room">): string =>
  (["cpu", "memoryMiB", "diskGiB"] as const)
    .map((kind) => {
      const has = room[kind];
      const { what, text } = KINDS[kind];
      return `${text(asked[kind])} of ${has === undefined ? "an unknown amount" : text(has)} ${kind === "cpu" ? what : `of ${what}`}`;
    })
    .join(", ");
