/**
 * Identifies a process, so that a later one with the same number is not mistaken for it. The facts come from /proc on Linux, and from
 * `ps` and `sysctl` on macOS. On other systems nothing is known, and callers must assume that the process still runs.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isProcessAlive } from "./processes";

/** What tells a process from all others. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own terms; only compared. */
  startTime: string;
  /** Changes with each boot of the machine. */
  bootId: string;
  /**
   * Process numbers are unique within one pid namespace only; a container has its own. The time namespace follows it if it is not the
   * initial one.
   */
  pidNamespace: string;
  /** A hash of the machine's id; "" where it has none. */
  machineId: string;
}

const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch {
    // The file does not exist or cannot be read: the value is unknown.
    return undefined;
  }
};

const ask = (command: string, args: string[]): string | undefined => {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
};

const hashed = (text: string | undefined): string =>
  text === undefined || text === "" ? "" : createHash("sha256").update(`homelab ${text}`).digest("hex").slice(0, 32);

interface System {
  bootId(): string | undefined;
  pidNamespace(): string | undefined;
  machineId(): string;
  /** undefined: not known; null: the process has exited and is a zombie. */
  startTime(pid: number): string | undefined | null;
  /** Whether a process of another pid namespace runs, such as one in a container; undefined: that cannot be seen from here. */
  runsElsewhere(other: ProcessIdentity): boolean | undefined;
}

/** The machine's own pid namespace, from which all others can be seen: PROC_PID_INIT_INO of Linux's include/linux/proc_ns.h. */
const FIRST_NAMESPACE = "pid:[4026531836]";
/** The machine's own time namespace: PROC_TIME_INIT_INO of the same file. In another one, start times are shifted. */
const FIRST_TIME_NAMESPACE = "time:[4026531834]";

/** undefined where the kernel has no namespaces of this kind. */
function namespaceOf(kind: "pid" | "time"): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return undefined;
  }
}

const linux: System = {
  bootId: () => read("/proc/sys/kernel/random/boot_id"),
  pidNamespace: () => {
    const [pid, time = FIRST_TIME_NAMESPACE] = [namespaceOf("pid"), namespaceOf("time")];
    return pid === undefined || time === FIRST_TIME_NAMESPACE ? pid : `${pid} ${time}`;
  },
  machineId: () => hashed(read("/etc/machine-id")),
  startTime: (pid) => {
    const stat = read(`/proc/${pid}/stat`);
    // The name of the program, in brackets, may hold any character.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields?.[0] === "Z" || fields?.[0] === "X") return null;
    return fields?.[19];
  },
  runsElsewhere: ({ pid, startTime, pidNamespace }) => {
    if (pidNamespace.includes("time:")) return undefined;
    // The mount option hidepid hides other users' processes, and with them process 1.
    if (linux.pidNamespace() !== FIRST_NAMESPACE || read("/proc/1/status") === undefined) return undefined;
    const candidates = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return candidates.some((name) => {
      // The process's numbers, from this namespace to the innermost one.
      const numbers = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${name}/status`) ?? "")?.[1]?.split(/\s+/) ?? [];
      return numbers.length > 1 && numbers.at(-1) === String(pid) && linux.startTime(Number(name)) === startTime;
    });
  },
};

const macos: System = {
  // Setting the machine's clock also changes its boot time, but not the UUID of the boot session.
  bootId: () => ask("sysctl", ["-n", "kern.bootsessionuuid"]) || /sec = (\d+)/.exec(ask("sysctl", ["-n", "kern.boottime"]) ?? "")?.[1],
  pidNamespace: () => "macos",
  machineId: () => hashed(/"IOPlatformUUID" = "([^"]+)"/.exec(ask("ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]) ?? "")?.[1]),
  startTime: (pid) => {
    const [state = "", ...start] = (ask("ps", ["-o", "stat=,lstart=", "-p", String(pid)]) ?? "").split(/\s+/);
    return state.startsWith("Z") ? null : start.join(" ") || undefined;
  },
  runsElsewhere: () => undefined,
};

const SYSTEMS: Partial<Record<NodeJS.Platform, System>> = { linux, darwin: macos };

/** The identity of this process; undefined on a system that does not tell it. */
export function ownIdentity(): ProcessIdentity | undefined {
  const system = SYSTEMS[process.platform];
  const [startTime, bootId, pidNamespace] = [system?.startTime(process.pid), system?.bootId(), system?.pidNamespace()];
  if (system === undefined || !startTime || !bootId || !pidNamespace) return undefined;
  return { pid: process.pid, startTime, bootId, pidNamespace, machineId: system.machineId() };
}

/**
 * Whether it is certain that a process of this machine has exited: the machine was rebooted since, or the number is free, or another
 * process has it. A process of a container is searched among all processes of the machine. False where that cannot be known, such as
 * from within another container.
 */
export function isSurelyGone(process_: ProcessIdentity): boolean {
  const own = ownIdentity();
  const system = SYSTEMS[process.platform];
  if (own === undefined || system === undefined) return false;
  if (process_.bootId !== own.bootId) return own.machineId !== "" && process_.machineId === own.machineId;
  if (process_.pidNamespace !== own.pidNamespace) return system.runsElsewhere(process_) === false;
  if (!isProcessAlive(process_.pid)) return true;
  const startTime = system.startTime(process_.pid);
  return startTime === null || (startTime !== undefined && startTime !== process_.startTime);
}

/** Whether it is certain that a process of this very machine runs. False where that cannot be known. */
export function isSurelyRunning(process_: ProcessIdentity): boolean {
  const own = ownIdentity();
  const isComparable = own !== undefined && process_.bootId === own.bootId && process_.pidNamespace === own.pidNamespace;
  return isComparable && SYSTEMS[process.platform]?.startTime(process_.pid) === process_.startTime;
}
