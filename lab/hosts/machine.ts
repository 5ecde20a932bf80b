import type { LabContext, Stoppable } from "../core/world";
import type { Disk } from "./disks";
import type { HostDisk, Identity } from "./filesystem";

/** A unit that was started since boot. */
export interface Unit {
  state: "active" | "failed";
  /** Milliseconds since the epoch. */
  since: number;
  mainPid: number;
}

/** A cluster as its host sees it. */
export interface RunningCluster {
  /** As k3s writes it where nothing else is wanted: server https://127.0.0.1:6443, everything named "default". */
  adminKubeconfig(wanted?: { server?: string; name?: string }): string;
  save(): unknown;
  stop(): Promise<void>;
}

/**
 * Brings up the Kubernetes API of a host.
 * @param state what an earlier cluster on the same disk saved
 */
export type StartCluster = (request: ClusterRequest) => Promise<RunningCluster>;

export interface ClusterRequest {
  /** The node's name. */
  name: string;
  address: string;
  /** Parts of k3s that are not there: `traefik`, `servicelb`, … */
  disabled: string[];
  /** Of the k3s or the kubelet that is installed. */
  version?: string;
  state?: unknown;
}

/** What cloud-init reads on the first boot. */
export interface HostSpec {
  /** Stable over restarts and unlike that of any other host: the VM's number. */
  id: string;
  hostname: string;
  /** IPv4, without prefix length. */
  address: string;
  prefix: number;
  gateway: string | undefined;
  nameserver: string | undefined;
  user: string;
  authorizedKeys: readonly string[];
  cores: number;
  memoryMiB: number;
  diskGiB: number;
  /** Further disks, new or with content. Default none. */
  disks?: readonly Disk[];
}

/** The host's kernel, from boot to boot. */
interface Kernel {
  modules: Set<string>;
  sysctls: Map<string, string>;
  swapOn: boolean;
  /** Mount point to the disk's name, beside the root. */
  mounts: Map<string, string>;
  /** Milliseconds since the epoch. */
  bootedAt: number;
}

/** All that the commands of a host's shell can see and change. */
export interface Machine {
  readonly spec: HostSpec;
  /** Power off and on again, from outside; returns at once. */
  readonly reboot: () => void;
  readonly ctx: LabContext;
  readonly disk: HostDisk;
  readonly disks: Disk[];
  readonly kernel: Kernel;
  /** Installed packages and their versions. */
  readonly packages: Map<string, string>;
  /** Units that run or failed; a unit that is not listed is inactive. */
  readonly units: Map<string, Unit>;
  /** Programs of containers that run, by their unit. */
  readonly containers: Map<string, Stoppable>;
  readonly journal: { at: number; unit: string; text: string }[];
  readonly startCluster: StartCluster;
  cluster: RunningCluster | undefined;
  /** What the cluster's data folder holds while it does not run. */
  clusterState: unknown;
  hostname: string;
  /** Counts what a command changed beside the disk (packages, units, kernel), for the records. */
  effects: number;
}

export function log(machine: Machine, unit: string, text: string): void {
  machine.journal.push({ at: machine.ctx.clock.now(), unit, text });
  if (machine.journal.length > 1000) machine.journal.shift();
}

/** One line of /etc/passwd as an identity; undefined for an unknown user. */
export async function findUser(machine: Machine, nameOrId: string): Promise<Identity | undefined> {
  const line = ((await machine.disk.read("/etc/passwd")) ?? "").split("\n").find((l) => {
    const [name, , uid] = l.split(":");
    return name === nameOrId || uid === nameOrId;
  });
  if (line === undefined) return undefined;
  const [name = "", , uid = "", gid = "", , home = "/"] = line.split(":");
  const groups = (await readGroups(machine)).filter((g) => g.members.includes(name)).map((g) => g.gid);
  return { name, uid: Number(uid), gid: Number(gid), home, groups, umask: 0o022 };
}

export interface Group {
  name: string;
  gid: number;
  members: string[];
}

export async function readGroups(machine: Machine): Promise<Group[]> {
  const lines = ((await machine.disk.read("/etc/group")) ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return { name, gid: Number(gid), members: members.split(",").filter((m) => m !== "") };
  });
}
